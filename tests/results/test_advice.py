"""What programs write when they fail, word for word, and the cause that is told of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reana_bridge.results.advice import RULES, advise

SEEN = [
    ('numpy._core._exceptions._ArrayMemoryError: Unable to allocate 7.45 GiB for an array',
     'memory', 'pieces'),
    ('MemoryError', 'memory', 'pieces'),
    ("terminate called after throwing an instance of 'std::bad_alloc'", 'memory', 'pieces'),
    ("OSError: [Errno 28] No space left on device: 'out.root'", 'disk full', 'room'),
    ('SysError in <TFile::WriteBuffer>: error writing to file (No space left on device)',
     'disk full', 'room'),
    ("cp: error writing 'x': Disk quota exceeded", 'quota', 'quota is used up'),
    ("ModuleNotFoundError: No module named 'uproot'", 'missing import', '`uproot`'),
    ('ImportError: No module named yaml', 'missing import', '`yaml`'),
    ("ImportError: cannot import name 'runOnePoint' from 'pyhf.utils' (/usr/lib/x.py)",
     'changed import', '`pyhf.utils` has no `runOnePoint`'),
    ('root.exe: error while loading shared libraries: libtbb.so.2: cannot open shared object file',
     'shared library', '`libtbb.so.2`'),
    ('OSError: libGL.so.1: cannot open shared object file: No such file or directory',
     'shared library', '`libGL.so.1`'),
    ('/bin/bash: line 1: combine: command not found', 'missing command', '`combine`'),
    ('sh: 1: root: not found', 'missing command', '`root`'),
    ('exec: "python3.9": executable file not found in $PATH', 'missing command', '`python3.9`'),
    ('bash: ./run.sh: Permission denied', 'not executable', '`./run.sh`'),
    ("PermissionError: [Errno 13] Permission denied: '/data/x'", 'not executable', '`/data/x`'),
    ("OSError: [Errno 30] Read-only file system: '/usr/share/x'", 'read-only', 'to `/usr/share/x`'),
    ("touch: cannot touch '/x': Read-only file system", 'read-only', 'outside of its workspace.'),
    ("KeyError: 'n_tracks'", 'missing column', '`n_tracks`'),
    ("FileNotFoundError: [Errno 2] No such file or directory: 'data/events.csv'",
     'missing file', '`data/events.csv`'),
    ("python: can't open file '/w/fit.py': [Errno 2] No such file or directory",
     'missing file', '`/w/fit.py`'),
    ('cat: events.csv: No such file or directory', 'missing file', '`events.csv`'),
    ("ls: cannot access 'results': No such file or directory", 'missing file', '`results`'),
    ('Error in <TFile::TFile>: file /w/a.root: No such file or directory', 'missing file', '`/w/a.root`'),
    ('MissingInputException in rule fit in file Snakefile, line 4:', 'missing file', 'of that name'),
    ('curl: (6) Could not resolve host: eospublic.cern.ch', 'no network', '`network: true`'),
    ('socket.gaierror: [Errno -3] Temporary failure in name resolution', 'no network', '`network: true`'),
    ('ConnectionRefusedError: [Errno 111] Connection refused', 'no network', 'reach the network'),
    ('Failed to pull image: manifest for python:3.99 not found', 'image pull', 'tag'),
    ('Back-off: ImagePullBackOff', 'image pull', 'registry'),
    ('ssl.SSLCertVerificationError: [SSL: CERTIFICATE_VERIFY_FAILED]',
     'proxy or certificate', 'certificate'),
    ('klist: No Kerberos credentials available', 'credentials', 'secrets-add'),
    ('slurmstepd: error: *** JOB 1 CANCELLED AT 2026-01-01 DUE TO TIME LIMIT ***', 'time', '`timeout`'),
    ('bash: line 1: 4242 Segmentation fault      (core dumped) ./fit',
     'segmentation fault', 'faulthandler'),
    (' *** Break *** segmentation violation', 'segmentation fault', 'faulthandler'),
    ('SyntaxError: invalid syntax', 'syntax', 'invalid syntax'),
    ("AttributeError: module 'numpy' has no attribute 'float'",
     'missing attribute', '`numpy` has no `float`'),
    ('run.sh: line 3: LUMI: unbound variable', 'unset variable', '`LUMI`'),
    ("_pickle.UnpicklingError: invalid load key, 'v'.", 'unpickling', 'open format'),
    ("uproot.exceptions.KeyInFileError: not found: 'Events;1'", 'missing tree', '`Events;1`'),
    ('pyhf.exceptions.FailedMinimization: Inequality constraints incompatible', 'fit', 'starting values'),
]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "cause", "says"), SEEN, ids=[f"{cause}-{n}" for n, (_, cause, _) in enumerate(SEEN)]
)
def test_a_known_line_has_its_advice(line, cause, says):
    found = advise(["Traceback (most recent call last):", '  File "a.py", line 1, in <module>', line, ""])
    assert found is not None
    assert found.cause == cause
    assert says in found.advice


def test_every_rule_is_seen():
    assert {rule.cause for rule in RULES} == {cause for _, cause, _ in SEEN}


@pytest.mark.parametrize(
    ("status", "cause"),
    [(137, "memory"), (-9, "memory"), (139, "segmentation fault"), (-11, "segmentation fault"),
     (152, "time"),
     (127, "missing command"), (126, "not executable"), (1, None), (0, None), (255, None), (None, None)],
)  # fmt: skip
def test_a_status_alone_says_something(status, cause):
    found = advise(["reading", "events"], exit_status=status)
    assert (found.cause if found else None) == cause
    assert found is None or "{" not in found.advice


@pytest.mark.parametrize(
    "line",
    ["wrote results/metrics.json", "epoch 3: loss 0.41", "the error rate is 403", "not found in cache",
     "KeyError", "Warning: memory of the detector", ""],
)  # fmt: skip
def test_nothing_is_said_of_other_lines(line):
    assert advise([line]) is None


def test_the_last_line_that_fits_counts():
    found = advise(["KeyError: 'first'", "During handling", "KeyError: 'second'"])
    assert found
    assert "`second`" in found.advice


@given(st.lists(st.text(max_size=80), max_size=5), st.integers(-300, 300) | st.none())
def test_whatever_stands_in_a_log(lines, status):
    advise(lines, exit_status=status)
    found = advise([f"KeyError: '{line}'" for line in lines])
    assert found is None or found.advice.count("`") % 2 == 0
