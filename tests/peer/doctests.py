"""Runs the doctests of an installed zc.buildout with any buildout executable, and tells of every example how it went.

    PYTHON doctests.py RESULTS [--buildout COMMAND] [--only WORD ...] [--verbose]

PYTHON is the environment that setup_doctests.sh makes. Each doctest's set-up makes a sample directory with bin/buildout; with --buildout
that file is replaced by a script which runs COMMAND with the same arguments. As upstream's engine does, COMMAND must take its default
package index from the environment variable buildout_testing_index_url. Everything else - files, servers, checks - stays Python.
RESULTS gets one line for each example: document, line, `cli` when it runs the command line, `pass` or `fail`, and how it begins.
"""
import argparse
import doctest
import io
import os
import re
import shlex
import stat
import sys
import unittest
import warnings

warnings.filterwarnings('ignore')
os.environ['PYTHONWARNINGS'] = 'ignore'
options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
options.add_argument('results')
options.add_argument('--buildout')
options.add_argument('--only', nargs='*', default=[])
options.add_argument('--verbose', action='store_true')
options = options.parse_args()
results = open(options.results, 'w')

import zc.buildout.testing  # noqa: E402

original_set_up = zc.buildout.testing.buildoutSetUp


def set_up(test):
    original_set_up(test)
    if options.buildout:
        script = os.path.join('bin', 'buildout')
        with open(script, 'w') as f:
            # The Python that the peer would run is the one to build for.
            python = os.path.dirname(os.path.abspath(sys.executable))
            f.write('#!/bin/sh\nPATH=%s:$PATH\nexport PATH\nexec %s "$@"\n' % (shlex.quote(python), options.buildout))
        os.chmod(script, os.stat(script).st_mode | stat.S_IXUSR)


zc.buildout.testing.buildoutSetUp = set_up
from zc.buildout.tests import test_all, test_increment  # noqa: E402

for module in (test_all, test_increment):
    for name, value in list(vars(module).items()):
        if value is original_set_up:
            setattr(module, name, set_up)


def cases(suite):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from cases(item)
        else:
            yield item


def is_cli(source):
    return re.search(r'system\(.*buildout', source, re.S) is not None


def wanted(name):
    return not options.only or any(word in name for word in options.only)


def report(name, examples):
    """`examples`: source, line, whether it failed."""
    name = name.replace('zc.buildout.tests.', '')
    for source, line, failed in examples:
        begin = ' '.join(source.replace('>>> ', '', 1).split())[:100]
        kind = 'cli' if is_cli(source) else 'other'
        results.write('%s\t%d\t%s\t%s\t%s\n' % (name, line, kind, 'fail' if failed else 'pass', begin))
    results.flush()
    print('%-70s %4d examples %4d failed' % (name, len(examples), sum(failed for _, _, failed in examples)), flush=True)


def run_manuel(case):
    """Runs a document of the manuel library, whose parts are regions; those that start with >>> count."""
    name = os.path.basename(case.regions.location)
    if not wanted(name):
        return
    lost = None
    try:
        case.setUp()
        case.regions.evaluate_with(case.manuel, case.globs)
        case.regions.format_with(case.manuel)
        case.tearDown()
    except Exception as error:  # what was not checked has not passed
        lost = error
        print('lost: %r' % error)
    regions = [r for r in case.regions if r.parsed is not None and '>>>' in r.source]
    report(name, [(r.source, r.lineno, bool(lost or r.formatted)) for r in regions])
    if options.verbose:
        print(*[r.formatted for r in regions if r.formatted], sep='\n')


def run_doctest(case, test):
    failed = set()

    class Runner(doctest.DocTestRunner):
        def report_failure(self, out, test, example, got):
            failed.add(example)
            if options.verbose:
                doctest.DocTestRunner.report_failure(self, out, test, example, got)

        def report_unexpected_exception(self, out, test, example, info):
            failed.add(example)
            if options.verbose:
                doctest.DocTestRunner.report_unexpected_exception(self, out, test, example, info)

    out = io.StringIO()
    try:
        case.setUp()
        Runner(checker=case._dt_checker, optionflags=case._dt_optionflags, verbose=False).run(
            test, out=out.write, clear_globs=False)
        case.tearDown()
    except Exception as error:  # a set-up that fails loses the whole doctest
        failed.update(test.examples)
        print('lost: %r' % error)
    start = test.lineno or 0
    report(test.name, [(e.source, start + e.lineno + 1, e in failed) for e in test.examples])
    if options.verbose:
        sys.stdout.write(out.getvalue())


suite = unittest.TestSuite()
for module in (test_all, test_increment):
    if hasattr(module, 'test_suite'):
        made = module.test_suite()
        suite.addTests(made if isinstance(made, (list, unittest.TestSuite)) else [made])
for case in cases(suite):
    if hasattr(case, 'manuel'):
        run_manuel(case)
        continue
    test = getattr(case, '_dt_test', None)
    if test is not None and wanted(test.name):
        run_doctest(case, test)
