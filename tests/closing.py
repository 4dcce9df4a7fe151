"""The last lines of a unittest program: FAIL and SKIP lines with their reason, then `N passed, N failed, N skipped`."""


def last_line(text):
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1].strip()[:300] if lines else "no reason"


def name_of(case):
    """Method, and the subtest's values."""
    return case.id().split(".", 1)[-1].removeprefix("__main__.")


def close(result):
    """Print them for this unittest.TestResult; returns the exit status."""
    failed = {}
    for case, text in result.failures + result.errors:
        failed.setdefault(name_of(case).split(" ")[0], []).append((name_of(case), last_line(text)))
    for name, reason in (row for rows in failed.values() for row in rows):
        print(f"FAIL {name}: {reason}")
    skipped = [(name_of(case), reason) for case, reason in result.skipped]
    for name, reason in skipped:
        print(f"SKIP {name}: {reason}")
    whole = {name.split(" ")[0] for name, _ in skipped} - set(failed)
    print(f"{result.testsRun - len(failed) - len(whole)} passed, {len(failed)} failed, {len(whole)} skipped", flush=True)
    return 1 if failed else 0
