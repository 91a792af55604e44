//! The targets of `fuzz/`, for seconds and without its tools: real texts with random changes.

use buildout::fuzzing;
use proptest::prelude::*;

/// Texts that mean something, to begin with.
const PROFILES: [&str; 4] = [
    "[buildout]\nextends =\n  a.cfg\n  b.cfg\nparts = a b\n\n[a]\n<= b\nx = ${b:y} $${z}\ny +=\n    if 1:\n      2\n",
    "[a:python3 and linux] # comment\nx = 1\n  2\n# comment\n\n  3\ny -= 1\n=> b c\n[a : sys.version_info < (3,)]\nx += 4\n",
    "[b]\nz =\n\t1\n\n\t  2\n \n[c]\r\nw = 3\r\n",
    "[d:python_version >= '3.9' or [int(q) for q in '1.2'.split('.')][:1] == [1]]\na\u{e9} = \u{2028}x\n",
];
const CONDITIONS: [&str; 6] = [
    "python_version < \"3.9\" and platform_system == \"Linux\"",
    "sys.version_info[:2] >= (3, 11) and not pypy",
    "[int(q) for q in platform.release().split(\".\")[:2]]<[4,14]",
    "os.path.isdir('/usr') and os.access('/usr', os.R_OK)",
    "platform.freedesktop_os_release()['ID'] == 'debian' or 'a' not in ['b', 1, None]",
    "(1, (2, 3))[-1][0:1] == (2,) is True",
];
const RECORDS: [&str; 2] = [
    "[buildout]\ninstalled_develop_eggs = \nparts = p q\n\n[p]\n__buildout_installed__ = /a\n\t/b\nw = foo\n\t%(__buildout_space__)s%(__buildout_space__)sbar\n\t%(__buildout_space_n__)sbaz\n\n[q]\n__buildout_installed__ = \nx = !py!{'a': [1, b'2']}\n",
    "[buildout]\nparts = p\n[p]\nx = %(__buildout_space_r__)s%%\n[buildout]\nparts = p\n",
];
/// What changes put in.
const TOKENS: [&str; 40] = [
    "[",
    "]",
    "(",
    ")",
    "{",
    "}",
    "=",
    "+=",
    "-=",
    "<=",
    "=>",
    ":",
    ";",
    "#",
    "$",
    "${",
    "$${",
    "%(",
    ")s",
    "\n",
    "\n\n",
    "\r",
    "\t",
    "  ",
    "\\x23",
    "'",
    "\"",
    ",",
    ".",
    "\0",
    "\u{feff}",
    "\u{85}",
    "\u{1f600}",
    "buildout",
    "parts",
    "for a in ",
    "not ",
    "%",
    "__buildout_space_n__",
    "99999999999999999999",
];

fn changed(seeds: &'static [&'static str]) -> impl Strategy<Value = String> {
    let change = (any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0_usize..5);
    (prop::sample::select(seeds), prop::collection::vec(change, 0..12)).prop_map(|(seed, changes)| {
        let mut letters: Vec<char> = seed.chars().collect();
        for (place, token, removed) in changes {
            let place = place.index(letters.len() + 1);
            let end = (place + removed).min(letters.len());
            letters.splice(place..end, TOKENS[token.index(TOKENS.len())].chars());
        }
        letters.into_iter().collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn changed_profiles_are_read_or_refused(text in changed(&PROFILES)) {
        fuzzing::profile(&text);
    }

    #[test]
    fn changed_conditions_are_decided_or_refused(text in changed(&CONDITIONS)) {
        fuzzing::condition(&text);
    }

    #[test]
    fn changed_records_are_refused_or_survive_being_written(text in changed(&RECORDS)) {
        fuzzing::record(&text);
    }
}
