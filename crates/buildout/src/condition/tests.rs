//! The conditions that profiles really have, and what is refused.

use proptest::prelude::*;

use super::*;

fn holds(text: &str) -> Result<bool, String> {
    Condition::parse(text)
        .and_then(|condition| condition.holds(&example_facts()))
        .map_err(|error| error.to_string())
}

#[test]
fn the_conditions_of_known_profiles_hold_as_in_python() {
    let cases = [
        ("python3", true),
        ("python2", false),
        ("python27", false),
        ("python311", true),
        ("linux and platform.machine() == \"x86_64\"", true),
        ("linux and platform.machine() == 'x86_64' ", true),
        ("not linux or platform.machine() != 'riscv64'", true),
        ("bits32", false),
        ("posix", true),
        ("pypy", false),
        ("sys.version_info < (3,8)", false),
        ("sys.version_info >= (3, 11)", true),
        ("sys.version_info[0] == 3", true),
        ("sys.version_info[:2] == (3, 11)", true),
        ("(3, 9) <= sys.version_info < (3, 12)", true),
        ("sys.version_info.major > 2", true),
        ("[int(q) for q in platform.release().split(\".\")[:2]]<[4,14]", false),
        ("[int(q) for q in platform.release().split(\".\")[:2]] == [6, 1]", true),
        ("[a for a in ('b', 'c') if a != 'b'] == ['c']", true),
        ("[[b for b in a] for a in ['xy']] == [['x', 'y']]", true),
        ("[1,] == [1] and [] == [a for a in []]", true),
        ("os.path.isdir('/no/such') and 'OLinuXino' in open('/proc/device-tree/model').read()", false),
        ("'Linux' in open('/proc/version').read()", true),
        (
            "platform.freedesktop_os_release()['ID'] == 'debian' and int(platform.freedesktop_os_release()['VERSION_ID']) < 5",
            false,
        ),
        ("os.path.isdir('/')", true),
        ("platform.release().split('.')[0] == '6'", true),
        ("int(platform.release().split('.')[0]) >= 7", false),
        ("'linux' in sys.platform", true),
        ("sys.platform not in ('darwin', 'win32')", true),
        ("platform.machine() in ['aarch64', 'arm64']", false),
        ("os.uname().machine.startswith('x86')", true),
        ("False or (True and not None)", true),
        ("python2 and undefined_name", false),
    ];
    for (text, expected) in cases {
        assert_eq!(holds(text), Ok(expected), "{text}");
    }
}

#[test]
fn markers_are_read_as_markers() {
    assert_eq!(holds("python_version < \"3.9\" and platform_system == \"Linux\""), Ok(false));
    assert_eq!(holds("python_version >= '3.9' and sys_platform == 'linux'"), Ok(true));
}

#[test]
fn names_outside_the_table_are_refused() {
    assert_eq!(
        holds("os.system('id')").unwrap_err(),
        "`os.system` is not among the names that conditions know"
    );
    assert_eq!(
        holds("python3 and").unwrap_err(),
        "it is neither a marker nor an expression: it ends too early"
    );
    assert!(holds(&"(".repeat(10_000)).is_err());
    assert!(holds(&"[".repeat(10_000)).is_err());
    assert!(holds("open('/no/such/file').read()").unwrap_err().contains("/no/such/file"));
}

#[test]
fn parentheses_make_no_expression_of_a_marker() {
    assert_eq!(holds("(python_version > \"3\")"), Ok(true));
    assert_eq!(
        holds("(os_name == 'nt' or (sys_platform == 'linux')) and python_version in '3.9 3.11'"),
        Ok(true)
    );
    assert_eq!(holds("python_version >= '3' and os.path.isdir('/')").unwrap_err(), UNKNOWN);
    assert_eq!(holds(&"a".repeat(10_001)).unwrap_err(), "it has more than 10000 letters");
}

const UNKNOWN: &str = "`python_version` is not among the names that conditions know";

#[test]
fn the_interpreter_decides_what_is_beyond_the_table() {
    let python = Interpreter::discover(None, "/usr/local/bin:/usr/bin:/bin", None).unwrap();
    let asked = |text: &str| decide(text, &python).map_err(|error| error.to_string());

    for text in [
        "re.match('a+', 'aab')",
        "sys.maxsize > 2**31 - 1 and python3 and not python2",
        "os.uname()[4] == platform.machine()",
        "1 if linux else 0",
        "print('to nobody') is None",
        "os.environ.get('NO_SUCH_VARIABLE') is None",
    ] {
        assert_eq!(asked(text), Ok(true), "{text}");
    }
    assert_eq!(asked("python_version > '3' and len('')").unwrap_err(), UNKNOWN);
    assert_eq!(
        asked("python3 and").unwrap_err(),
        "it is neither a marker nor an expression: it ends too early"
    );
    assert_eq!(
        asked("os.sep + 1").unwrap_err(),
        "Python refuses it: TypeError: can only concatenate str (not \"int\") to str"
    );
}

#[test]
fn comprehensions_that_multiply_are_ended() {
    let mut text = "1".to_owned();
    for _ in 0..30 {
        text = format!("[{text} for a in '0123456789']");
    }

    assert_eq!(holds(&text).unwrap_err(), "it takes too long");
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "[ -~]{0,60}|[()\\[\\]a-z0-9.,:'\" =<>!-]{0,60}") {
        let _ = holds(&text);
    }
}
