"""`lectr-lab compact`: merge the parts of closed days, forget old ones."""

from pathlib import Path

MB = 1_000_000


def compact(
    lab: Path = Path("lab"),
    *,
    keep_days: int | None = None,
    keep_mb: int | None = None,
) -> None:
    """Merge each closed day's files into few, and delete old days if asked to.

    Safe while the proxy runs. Nothing is deleted without --keep-days or --keep-mb.

    Example: lectr-lab compact lab --keep-days 90

    Args:
        lab: the lab folder.
        keep_days: delete days that are older than that many days.
        keep_mb: delete the oldest days until the log has at most that many megabytes.
    """
    from rich.console import Console

    from lectr_lab.log.compact import compact as merge
    from lectr_lab.log.folder import LabFolder
    from lectr_lab.log.retain import retain

    folder = LabFolder.existing(lab)
    rows = 0
    with Console(stderr=True).status("Compacting …") as status:

        def on_rows(merged: int) -> None:
            nonlocal rows
            rows += merged
            status.update(f"Compacting … {rows:,} rows")

        max_bytes = None if keep_mb is None else keep_mb * MB
        gone = retain(folder, max_age_days=keep_days, max_bytes=max_bytes)
        done = merge(folder, on_rows=on_rows)
    if gone.days:
        days = ", ".join(map(str, gone.days))
        print(f"Deleted {days}: {gone.freed_bytes / MB:.1f} MB.")
    if done.days:
        print(
            f"Merged {done.parts_before} files of {done.days} days into "
            f"{done.parts_after}: {done.rows:,} rows, {done.bytes_before / MB:.1f} → "
            f"{done.bytes_after / MB:.1f} MB."
        )
    elif not done.problems:
        print("Nothing to merge: every closed day is compact.")
    for problem in done.problems:
        print(f"! {problem}")
    if done.problems:
        print("`lectr-lab doctor` says more.")
