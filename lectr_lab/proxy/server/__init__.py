"""How clients are answered: all that knows uvicorn's insides.

They are `HttpToolsProtocol` and `FlowControl` (protocol.py) and `RequestResponseCycle`
(whole_reply.py, unread.py, old_http.py), which no release has to keep. So pyproject.toml
names one series; a new one is taken when `tests/proxy/server` and the proxy's own tests
pass with it.
"""
