"""One request as it goes by: it is shown the words and told the time, and yields one
Event. It never sees a socket, and it keeps counts and names, not bytes."""

from collections.abc import Callable
from datetime import datetime

from lectr_lab.core.event import Event
from lectr_lab.core.event_parts import (
    hidden,
    ms_between,
    short_name,
    with_path,
    with_seldom,
)
from lectr_lab.core.event_values import (
    GATEWAY_CACHE,
    Credential,
    ErrorSource,
    Operation,
    Outcome,
    cut,
)
from lectr_lab.core.gateway_cache import from_gateway_cache
from lectr_lab.core.headers import ClientHeaders, RawHeaders, encoding_of, redactor
from lectr_lab.core.identity.keyed_hash import KeyedHash
from lectr_lab.core.identity.run import Run, body_tells_run, run_of
from lectr_lab.core.keys import KeyEntry
from lectr_lab.core.llm_api.reply import ReplyFacts, ReplyReader
from lectr_lab.core.llm_api.request import RequestFacts
from lectr_lab.core.llm_api.splice import Place
from lectr_lab.core.routing.paths import (
    NO_PATH,
    api_path,
    logged_path,
    operation,
)
from lectr_lab.core.routing.providers import ResolvedProvider
from lectr_lab.core.routing.rules import RuleInput

# The provider's id of a call, by the header each uses.
_REQUEST_ID_HEADERS = (b"x-request-id", b"request-id", b"apim-request-id")
_NO_REQUEST = RequestFacts()
_NO_REPLY = ReplyFacts()
_NO_TARGET = ResolvedProvider("", "default")


class Exchange:
    """Watches one request from its first line to its last byte.

    The caller tells it each thing once, in this order: `received` (the whole request),
    `ruled` (what the rules made of it), `sent_to` (it goes to the provider), `answered`
    (the reply's head), `passed_on` (its first byte is with the client), any number of
    `chunk`s, `passed_whole`, and `ended`. Leaving some out is what failed requests look
    like.
    """

    # More names than Python lets objects share: without slots each had a table.
    __slots__ = tuple(
        (
            "_answered_s _arrived_s _asked_s _content_s _from_cache _hide _keyed_hash "
            "_operator_keys _passed_on_s _path _received_s _request_id _request_read "
            "_response_bytes _rule _rule_skipped _run _run_of_head _stored _whole "
            "client_headers content_encoding event_id headers key model_place "
            "model_sent operation raw_path reader request request_bytes "
            "request_encoding requested retry_of_failed started_at started_s status "
            "taps target"
        ).split()
    )

    def __init__(
        self,
        *,
        event_id: bytes,
        started_at: datetime,
        started_s: float,
        raw_path: bytes,
        client_headers: ClientHeaders,
        key: KeyEntry,
        operator_keys: frozenset[str] = frozenset(),
        headers: RawHeaders = (),
        keyed_hash: KeyedHash | None = None,
        hide: Callable[[str | None], str | None] | None = None,
        run_of_head: Run | None = None,
    ) -> None:
        self._untold()
        self.event_id = event_id
        self.started_at, self.started_s = started_at, started_s
        self.raw_path = raw_path
        self.client_headers = client_headers
        self.headers = headers  # as they came: keys and all
        self.key = key
        self.operation: Operation = operation(raw_path)
        self._path = api_path(raw_path) or NO_PATH
        self._stored = self.operation == "other" and self._path.is_stored_response
        # Shown the reply's bytes too, each until it returns something true.
        self.taps: list[Callable[[bytes], object]] = []
        if b"content-encoding" in client_headers.first:
            self.request_encoding = encoding_of(headers)
        self._hide = hide or redactor(client_headers, operator_keys)
        self._operator_keys, self._keyed_hash = operator_keys, keyed_hash
        self._run_of_head = run_of_head  # None: nobody has looked, or it says more

    def _untold(self) -> None:
        """What it is told later."""
        self.target: ResolvedProvider | None = None
        self.requested: ResolvedProvider | None = None
        self.retry_of_failed: bool | None = None  # whoever remembers others says so
        self.request = _NO_REQUEST
        self.request_bytes: int | None = None
        self.request_encoding = ""  # where the body is plain
        self.model_place: Place | None = None  # in the body, where that was looked for
        self.model_sent: str | None = None
        self.reader: ReplyReader | None = None
        self._run: Run | None = None
        self.status: int | None = None
        self.content_encoding = ""
        self._rule: str | None = None
        self._rule_skipped: str | None = None
        self._request_read: bool | None = None
        self._received_s: float | None = None
        self._asked_s: float | None = None
        self._answered_s: float | None = None
        self._passed_on_s: float | None = None
        self._arrived_s = 0.0
        self._content_s: float | None = None
        self._response_bytes = 0
        self._request_id: str | None = None
        self._from_cache = False  # of a gateway's
        self._whole = False

    def received(
        self, facts: RequestFacts | None, body_bytes: int, now_s: float
    ) -> None:
        """The whole request is here, since `now_s`; `facts` is None where it is not a
        JSON object, or in an encoding that cannot be undone."""
        self.request = with_path(facts or _NO_REQUEST, self._path)
        self.request_bytes = body_bytes
        self._request_read = facts is not None if body_bytes else None
        self._received_s = now_s

    @property
    def run(self) -> Run:
        """Who asks, and in which run, by headers and body: asked from `received` on."""
        if self._run is None:
            of_head = self._run_of_head
            if of_head and not body_tells_run(self.operation, self.request):
                return of_head
            self._run = run_of(
                self.headers,
                self.operation,
                self.request,
                self.client_headers,
                self._operator_keys,
                self._keyed_hash,
            )
        return self._run

    @property
    def feature(self) -> str | None:
        """The event's, redacted as there."""
        return self._hide(self.client_headers.feature) or self.key.feature

    def rule_input(self, target: ResolvedProvider) -> RuleInput:
        """What a rule sees of the request: the event's own words, redacted as there."""
        return RuleInput(
            feature=self.feature,
            task=self._hide(self.client_headers.task),
            provider=target.provider,
            model=cut(self._hide(self.request.model)),
            operation=self.operation,
        )

    def ruled(
        self,
        requested: ResolvedProvider,
        target: ResolvedProvider,
        model: str | None,
        rule: str | None,
        skipped: str | None,
    ) -> None:
        """What the rules made of it, told before `sent_to`.

        Args:
            requested: whom the request was for.
            target: whom it goes to now.
            model: what is asked for now.
            rule: the rule applied, if one was.
            skipped: why the rule that matched was not.
        """
        self.requested, self.target, self.model_sent = requested, target, model
        self._rule, self._rule_skipped = rule, skipped

    def sent_to(self, target: ResolvedProvider, now_s: float) -> None:
        """The provider is being asked from now on."""
        self.target = target
        self._asked_s = now_s

    def answered(self, status: int, headers: RawHeaders, now_s: float) -> None:
        """The reply's head is here, its names in lower case."""
        self.status = status
        self._answered_s = now_s
        first = dict(reversed(headers))
        self.content_encoding = first.get(b"content-encoding", b"").decode("latin-1")
        self.reader = ReplyReader(
            "responses" if self._stored else self.operation,
            status,
            first.get(b"content-type", b"").decode("latin-1"),
            self.content_encoding,
        )
        self._from_cache = from_gateway_cache(first)
        found = filter(None, map(first.get, _REQUEST_ID_HEADERS))
        self._request_id = short_name(next(found, b""))

    def passed_on(self, now_s: float) -> None:
        """The reply's head is on its way to the client."""
        self._passed_on_s = now_s

    def chunk(self, data: bytes, now_s: float) -> bool:
        """A piece of the reply's body, in order, with the time it arrived.

        Returns whether it was so much that the rest of it is to be read by `read_on`.
        """
        self._response_bytes += len(data)
        for tap in self.taps:
            if tap(data):
                self.taps = [other for other in self.taps if other is not tap]
        reader = self.reader
        if reader is None:
            return False
        reader.feed(data)
        if self._content_s is None:
            self._arrived_s = now_s
            self._look_for_content(reader)
        return reader.behind

    @property
    def behind(self) -> bool:
        """There is more of the last piece to read."""
        return self.reader is not None and self.reader.behind

    def read_on(self) -> None:
        """Read more of it, for some milliseconds."""
        if self.reader is not None:
            self.reader.read_on()
            self._look_for_content(self.reader)

    def cut(self) -> None:
        """Read no more of the reply."""
        if self.reader is not None:
            self.reader.cut()

    def _look_for_content(self, reader: ReplyReader) -> None:
        if self._content_s is None and reader.content_started:
            self._content_s = self._arrived_s

    def passed_whole(self) -> None:
        """The reply's last byte is on its way to the client."""
        self._whole = True

    @property
    def reply_complete(self) -> bool:
        """The reply was over or said so, whatever the connection does after."""
        return self._whole or (self.reader is not None and self.reader.complete)

    def ended(
        self,
        outcome: Outcome,
        now_s: float,
        *,
        status: int | None = None,
        error_type: str | None = None,
        error_source: ErrorSource | None = None,
    ) -> Event:
        """It is over: everything known, as one row. What nobody has read of a large
        reply by now (`reader`) is left out.

        Args:
            outcome: how it ended for the client; an error the provider wrote into a
                reply that was otherwise passed on whole is found here.
            now_s: the clock of `started_s`.
            status: what the client saw, where it was not the provider's.
            error_type: the class of a failure that was not the provider's reply.
            error_source: whose failure that was.
        """
        self.taps = []  # which may lead back here: the collector is to have no work
        reply = self._reply_facts()
        if outcome == "ok" and reply.error_in_stream:
            outcome = "error_in_stream"
        elif outcome == "ok" and self.status is not None and self.status >= 400:
            outcome = "provider_error"
        if outcome in ("error_in_stream", "provider_error"):
            error_type = reply.error_type or str(self.status)
            error_source = "provider"
        client_headers, request, key = self.client_headers, self.request, self.key
        target, run = self.target or _NO_TARGET, self.run
        requested, rule = self.requested or target, self._rule
        elsewhere = requested.provider != target.provider
        model_sent = self.model_sent if rule else request.model
        feature = client_headers.feature
        event = Event(
            event_id=self.event_id,
            started_at=self.started_at,
            org=key.org,
            feature=feature or key.feature,
            feature_valid=client_headers.feature_valid if feature else None,
            task=client_headers.task,
            client=run.client,
            client_version=run.client_version,
            session=run.session,
            agent=run.agent,
            parent_agent=run.parent_agent,
            turn_kind=run.turn_kind,
            user=run.user,
            trace_id=run.trace_id,
            credential=self._credential(),
            path=logged_path(self.raw_path),
            operation=self._operation_of(reply),
            provider=target.provider or None,
            provider_source=target.source if target.provider else None,
            provider_unknown=target.unknown if target.provider else None,
            provider_header=client_headers.provider_invalid,
            model_requested=request.model,
            model_sent=model_sent if target.provider else None,
            model_actual=reply.model_actual,
            rule=rule,
            rule_skipped=self._rule_skipped,
            stream=request.stream,
            include_usage=request.include_usage,
            status=self.status if status is None else status,
            outcome=outcome,
            error_type=error_type,
            error_source=error_source,
            finish_reason=reply.finish_reason,
            choice_count=reply.choice_count,
            retry_count=client_headers.retry_count,
            retry_of_failed=self.retry_of_failed,
            provider_request_id=self._request_id,
            total_ms=round((now_s - self.started_s) * 1000, 3),
            ttfb_ms=ms_between(self._asked_s, self._answered_s),
            ttft_ms=ms_between(self._asked_s, self._content_s),
            overhead_ms=self._overhead_ms(),
            input_tokens=reply.input_tokens,
            output_tokens=reply.output_tokens,
            cache_read_tokens=reply.cache_read_tokens,
            cache_write_tokens=reply.cache_write_tokens,
            reasoning_tokens=reply.reasoning_tokens,
            token_source=reply.token_source,
            output_chars=reply.output_chars,
            service_tier_requested=request.service_tier_requested,
            service_tier=GATEWAY_CACHE if self._from_cache else reply.service_tier,
            request_bytes=self.request_bytes,
            response_bytes=self._response_bytes if self.reader else None,
            message_count=request.message_count,
            prompt_chars=request.prompt_chars,
            system_chars=request.system_chars,
            max_output_tokens=request.max_output_tokens,
            temperature=request.temperature,
            reasoning_effort=request.reasoning_effort,
            has_tools=request.has_tools,
            has_images=request.has_images,
            has_audio=request.has_audio,
            response_format=request.response_format,
            schema_depth=request.schema_depth,
            provider_requested=requested.provider if elsewhere else None,
            request_read=self._request_read,
            provider_response_id=reply.provider_response_id,
            # Known of the request alone: what failed is not billed by them.
            input_characters=None if error_type else request.input_characters,
            facts_truncated=self._facts_truncated(reply),
        )
        return hidden(with_seldom(event, reply), self._hide)

    def _credential(self) -> Credential | None:
        """Elsewhere than the client meant, the operator's own key is what pays."""
        asked, target = self.requested, self.target
        elsewhere = asked and target and asked.provider != target.provider
        return "api_key" if elsewhere else self.client_headers.credential

    def _reply_facts(self) -> ReplyFacts:
        if self.reader is None:
            return _NO_REPLY
        if self.reader.behind or self.reader.end() is not None:
            self.reader.cut()  # nobody had it read, or not in time
        return self.reader.finish()

    def _operation_of(self, reply: ReplyFacts) -> Operation:
        """A stored response is a call once it is over, and a poll before that."""
        counted = reply.token_source == "provider" or reply.error_in_stream
        over = reply.finish_reason is not None and counted
        return "responses" if self._stored and over else self.operation

    def _facts_truncated(self, reply: ReplyFacts) -> bool | None:
        if self.request.facts_truncated or reply.facts_truncated:
            return True
        return False if self.request_bytes or self._response_bytes else None

    def _overhead_ms(self) -> float | None:
        before = ms_between(self._received_s, self._asked_s)
        after = ms_between(self._answered_s, self._passed_on_s) or 0.0
        return None if before is None else round(before + after, 3)
