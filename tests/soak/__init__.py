"""The parts of `tests/soak.py`.

replies     what is asked and what is answered, told by a request's number
provider    a real provider, which says that
wire        HTTP as a client speaks it, down to the reset
clients     valid traffic, and clients that leave
strangers   peers without a key
proxies     real `lectr-lab serve` processes: their lives, kills and ends
faults      kills, helpers, readers, a full disk
flips       damaged copies of the log
ledger      what must be there, and what is: outside the product
verdict     the laws, once all is over
table       figures
"""
