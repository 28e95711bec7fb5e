"""Other people's records become events: `import_log`.

A call is known by its source's own id: importing a file twice, a longer version of it,
or the same with a better map adds what is new and replaces what changed. All of a file
is read before anything of it is in the log.
"""

import secrets
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from lectr_lab.core.errors import LogError
from lectr_lab.core.identity.keyed_hash import KeyedHash
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.hash_secret import SECRET_VARIABLE, hash_secret
from lectr_lab.log.importers.commit import ONE_CALL, THERE, Plan, commit, plan_of
from lectr_lab.log.importers.events import NO_TIME, event_of, identity
from lectr_lab.log.importers.fields import Choices, Imported, Left, Said, fitted
from lectr_lab.log.importers.preview import Preview, Understood
from lectr_lab.log.importers.readers import READERS, Reader
from lectr_lab.log.importers.report import ImportReport, Tally
from lectr_lab.log.importers.staging import Staging, Told

_STEP_ROWS = 1_000
_DEFAULTS = Choices()
OnRows = Callable[[int, int], None]
"""Told how many rows of about how many were taken, now and then."""


class _Job(NamedTuple):
    """One file to be read, and how."""

    source: Path
    reader: Reader
    kind: str
    org: str
    choices: Choices

    @property
    def name(self) -> str:
        """What the source's ids are unique in."""
        return self.choices.name or self.kind


def import_log(
    source: Path,
    lab: LabFolder,
    *,
    kind: str,
    org: str,
    choices: Choices = _DEFAULTS,
    environ: Mapping[str, str] = MappingProxyType({}),
    on_rows: OnRows = lambda done, total: None,
) -> ImportReport:
    """Put the calls that another tool recorded into a lab's log.

    Args:
        source: the exported file, or a folder of them where the kind has folders.
        lab: a lab folder, in use or not; it is made where it is missing.
        kind: what the file is, one of `READERS`.
        org: the organisation that the events belong to.
        choices: what else somebody says of the file.
        environ: the variables of this process; LECTR_HASH_KEY is one.
        on_rows: told of the progress.

    Returns:
        What was done. What the source does not say is null, also in columns that
        the proxy always fills.

    Raises:
        LogError: the file cannot be read, is of another kind, or holds no call.
    """
    job, tally = _job(source, kind, org, choices), Tally()
    LabFolder.create(lab.root)
    job = _with_hash(job, KeyedHash(hash_secret(lab, environ)))
    with tempfile.TemporaryDirectory(prefix="lectr-lab-import-") as folder:
        staged = Staging(Path(folder))
        for event, told in _events(job, tally, on_rows):
            staged.add(event, told)
        done = commit(lab, staged, history=job.reader.history, on_rows=on_rows)
    return _told(tally, done)


def preview_log(
    source: Path,
    lab: LabFolder,
    *,
    kind: str,
    org: str,
    choices: Choices = _DEFAULTS,
    environ: Mapping[str, str] = MappingProxyType({}),
    on_rows: OnRows = lambda done, total: None,
) -> Preview:
    """What `import_log` would do, and what it understood; nothing is written.

    Args, Raises: as `import_log`.
    """
    job, tally, understood = _job(source, kind, org, choices), Tally(), Understood()
    job = _with_hash(job, KeyedHash(_secret_if_any(lab, environ)))
    with tempfile.TemporaryDirectory(prefix="lectr-lab-import-") as folder:
        staged = Staging(Path(folder))
        for event, told in _events(job, tally, on_rows):
            understood.add(event)
            staged.add(event, told)
        plan = plan_of(lab, staged, history=job.reader.history)
    return understood.preview(_told(tally, plan))


def _job(source: Path, kind: str, org: str, choices: Choices) -> _Job:
    if kind not in READERS:
        raise LogError(f"There is no kind {kind!r}. There is: {', '.join(READERS)}.")
    if fitted("org", org) is None:
        raise LogError(f"{org!r} cannot name an organisation: 1 to 100 characters.")
    if choices.name is not None and fitted("source", choices.name) is None:
        raise LogError(
            f"{choices.name!r} cannot name a source: letters, digits and _.:/@+- alone."
        )
    return _Job(source, READERS[kind], kind, org, choices)


def _with_hash(job: _Job, keyed: KeyedHash) -> _Job:
    return job._replace(choices=job.choices._replace(hashed=keyed.of))


def _secret_if_any(lab: LabFolder, environ: Mapping[str, str]) -> str:
    """The lab's secret; any other where it has none, for nothing is to be written."""
    if environ.get(SECRET_VARIABLE) or (lab.state / "hash_key").exists():
        return hash_secret(lab, environ)
    return secrets.token_hex(32)


def _events(
    job: _Job, tally: Tally, on_rows: OnRows
) -> Iterator[tuple[dict[str, Any], Told]]:
    """The events of a file that have a time, and what else tells each.

    Raises:
        LogError: there is none.
    """
    taken = 0
    try:
        total, items = job.reader.rows(job.source, job.choices)
        for item in items:
            if isinstance(item, Left):
                tally.left[item.reason] += item.n
            elif isinstance(item, Said):
                tally.said[item.what] += item.n
            else:
                tally.read += 1
                if tally.read % _STEP_ROWS == 0:
                    on_rows(tally.read, max(total, tally.read))
                event = _event(item, job, tally)
                if event.get("started_at") is None:
                    tally.left[NO_TIME] += 1
                    continue
                taken += 1
                yield event, Told(_alias(item, job), item.is_own)
    except LogError:
        raise
    except OSError as error:
        where = error.filename or job.source
        raise LogError(f"{where}: {error.strerror or error}.") from None
    on_rows(tally.read, max(total, tally.read))
    if not taken:
        raise _nothing(job, tally)


def _event(row: Imported, job: _Job, tally: Tally) -> dict[str, Any]:
    facts = {name: value for name, value in row.facts.items() if value is not None}
    if job.choices.feature and not row.is_own:
        facts.setdefault("feature", job.choices.feature)
    if job.choices.plan_pays and not row.is_own:
        facts["credential"] = "plan"
    return event_of(
        row._replace(facts=facts),
        source=job.name,
        org=job.org,
        hashed=job.choices.hashed,
        tally=tally,
    )


def _alias(row: Imported, job: _Job) -> bytes | None:
    return None if row.alias is None else identity(job.name, job.org, row.alias)


def _nothing(job: _Job, tally: Tally) -> LogError:
    """That a file has no call for the log, and what it has."""
    met = [f"{n:,} {reason}" for reason, n in tally.left.most_common()]
    why = f": {'; '.join(met)}" if met else ""
    return LogError(f"{job.source} holds no {job.reader.noun}{why}.")


def _told(tally: Tally, plan: Plan) -> ImportReport:
    for reason, n in ((ONE_CALL, plan.repeated), (THERE, plan.there)):
        if n:
            tally.left[reason] += n
    return tally.report(added=plan.added, replaced=plan.replaced, known=plan.known)
