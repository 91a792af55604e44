//! Makes cases: small names, so that they meet often, and every construct of the language.

use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};

use super::case::{Case, DIRECTORY};

const SECTIONS: [&str; 6] = ["a", "b", "c", "d-e", "f.g", "buildout"];
const OPTIONS: [&str; 6] = ["x", "y", "z", "w-v", "parts", "long_name"];
/// Options of `[buildout]` that have a default of the engine, or a meaning that is not only a text.
const SETTINGS: [&str; 5] =
    ["find-links", "eggs-directory", "bin-directory", "download-cache", "allow-hosts"];
/// Conditions, and whether they hold on a machine with Linux and Python 3.
pub(super) const CONDITIONS: [(&str, bool); 8] = [
    ("python3", true),
    ("python2", false),
    ("linux and python3", true),
    ("not linux", false),
    ("sys.version_info < (3, 0)", false),
    ("python_version >= '3'", true),
    (" sys_platform == 'none' ", false),
    ("os.name == 'posix' or bits32", true),
];
/// Pieces of values; `S` and `O` stand for a section and an option.
const PIECES: [&str; 24] = [
    "one",
    "two",
    "three",
    "one",
    "two",
    "${S:O}",
    "${:O}",
    "${S:O}",
    "${:_buildout_section_name_}",
    "$${S:O}",
    "$$",
    "$${",
    "$",
    "a = b",
    "a+=b",
    "[x]",
    "%(x)s",
    "é",
    "${buildout:directory}",
    "#no",
    "x;y",
    "'q'",
    "{",
    "\\n",
];
const WRONG: [&str; 12] = [
    "${S}",
    "${S:O:x}",
    "${S:O",
    "${nope:x}",
    "${S:nope}",
    "${:nope}",
    "${a b:x}",
    "${a/b:x}",
    "${a:x/y}",
    "${}",
    "${:}",
    "$${${S:O}}",
];

struct Maker {
    rng: StdRng,
    profiles: usize,
    /// Whether profiles are extended by URL.
    has_urls: bool,
    /// Whether the user has defaults.
    has_defaults: bool,
}

/// The case of that number.
pub(super) fn case(seed: u64, number: u64) -> Case {
    let rng = StdRng::seed_from_u64(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ number);
    let mut maker = Maker { rng, profiles: 1, has_urls: false, has_defaults: false };
    (maker.has_urls, maker.has_defaults) = (maker.chance(25), maker.chance(10));
    maker.profiles = maker.rng.random_range(1..=5);
    let profiles = (0..maker.profiles).map(|number| maker.profile(number)).collect();
    let defaults = if maker.has_defaults { maker.defaults() } else { Vec::new() };
    let count = if maker.chance(25) { maker.rng.random_range(1..=3) } else { 0 };
    let mut assignments: Vec<String> = (0..count).map(|_| maker.assignment()).collect();
    // Of two that assign to one option, each engine takes another: a known difference.
    let target = |word: &str| {
        let name = word.split('=').next().unwrap_or_default().to_owned();
        if name.contains(':') { name } else { format!("buildout:{name}") }
    };
    assignments.sort_by_key(|word| target(word));
    assignments.dedup_by_key(|word| target(word));
    Case { profiles, defaults, assignments }
}

impl Maker {
    fn chance(&mut self, percent: u32) -> bool {
        self.rng.random_ratio(percent, 100)
    }

    fn any<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices.choose(&mut self.rng).expect("there are choices")
    }

    fn profile(&mut self, number: usize) -> Vec<String> {
        let mut lines = Vec::new();
        if self.chance(10) {
            lines.push(self.any(&["# comment", "", "; comment", "# [a]"]).to_owned());
        }
        if number == 0 || number + 1 < self.profiles || self.chance(30) {
            lines.push("[buildout]".to_owned());
            self.extends(number, &mut lines);
        }
        // Most references shall lead somewhere.
        if number + 1 == self.profiles && self.chance(70) {
            for section in SECTIONS {
                lines.push(format!("[{section}]"));
                lines.extend(OPTIONS.iter().map(|option| format!("{option} = {section}.{option}")));
            }
        }
        for _ in 0..self.rng.random_range(1..=4) {
            self.section(&mut lines);
        }
        if self.chance(1) {
            let position = self.rng.random_range(0..=lines.len());
            let wrong =
                self.any(&["what is this", "x", "[a", "[a]]", "= 1", "x: 1", "[a b]", "[]"]).to_owned();
            lines.insert(position, wrong);
        }
        lines
    }

    /// What the user has set for all buildouts.
    fn defaults(&mut self) -> Vec<String> {
        let mut lines = vec!["[buildout]".to_owned()];
        if self.chance(20) {
            let other = self.rng.random_range(0..self.profiles);
            lines.push(format!("extends = ../{}", Case::file_name(other)));
        }
        self.option("buildout", &mut lines);
        for _ in 0..self.rng.random_range(0..=2) {
            self.section(&mut lines);
        }
        lines
    }

    /// Mostly of later profiles, or almost every case were a circle.
    fn extends(&mut self, number: usize, lines: &mut Vec<String>) {
        let mut words = Vec::new();
        for other in number + 1..self.profiles {
            if self.chance(if other == number + 1 { 70 } else { 35 }) {
                words.push(Case::file_name(other));
            }
        }
        if self.chance(30) {
            words.reverse();
        }
        if self.chance(1) {
            let other = self.rng.random_range(0..self.profiles);
            words.push(Case::file_name(other));
        }
        if self.chance(1) {
            words.push("missing.cfg".to_owned());
        }
        // Known differences: zc.buildout looks for such a file in the working directory, then fetches it from the URL; with
        // defaults of the user it keeps the option.
        let optional = !self.has_urls && !self.has_defaults && self.chance(10);
        if optional && self.chance(50) {
            words.push("missing.cfg".to_owned());
        }
        if words.is_empty() {
            return;
        }
        let option = if optional { "optional-extends" } else { "extends" };
        match self.rng.random_range(0..4) {
            0 => {
                lines.push(format!("{option} ="));
                lines.extend(words.iter().map(|word| format!("  {word}")));
            }
            1 => lines.push(format!("{option}= ./{}", words.join(" ./"))),
            2 if self.has_urls => {
                let address = format!("file://{DIRECTORY}/");
                lines.push(format!("{option} = {address}{}", words.join(&format!(" {address}"))));
            }
            _ => lines.push(format!("{option} = {}", words.join(" "))),
        }
    }

    fn section(&mut self, lines: &mut Vec<String>) {
        let name = self.any(&SECTIONS);
        let header = match self.rng.random_range(0..20) {
            0 => format!("[ {name} ]"),
            1 => format!("[{name}] # comment"),
            // Lines of a section that only a false condition has, or before any option, are a known difference.
            2..=4 => {
                lines.push(format!("[{name}]"));
                self.option(name, lines);
                let (condition, _) = CONDITIONS.choose(&mut self.rng).expect("there are conditions");
                format!("[{name}:{condition}]")
            }
            _ => format!("[{name}]"),
        };
        lines.push(header);
        if name != "buildout" && self.chance(20) {
            let bases: Vec<&str> =
                (0..self.rng.random_range(1..=2)).map(|_| self.any(&SECTIONS[..5])).collect();
            match bases.as_slice() {
                [base] => lines.push(format!("<= {base}")),
                bases => {
                    lines.push("<=".to_owned());
                    lines.extend(bases.iter().map(|base| format!("  {base}")));
                }
            }
        }
        for _ in 0..self.rng.random_range(0..=4) {
            self.option(name, lines);
        }
    }

    fn option(&mut self, section: &str, lines: &mut Vec<String>) {
        let is_setting = section == "buildout" && self.chance(20);
        let name = self.any(if is_setting { &SETTINGS } else { &OPTIONS });
        let operator = self.any(&["=", " =", " =", " =", " =", " +=", " +=", " -=", " -="]);
        if self.chance(15) {
            lines.push(format!("{name}{operator}"));
            for _ in 0..self.rng.random_range(0..=3) {
                let indent = self.any(&["  ", "    ", "\t", " "]);
                let line = format!("{indent}{}", self.value());
                lines.push(if self.chance(10) { String::new() } else { line });
            }
            return;
        }
        lines.push(format!("{name}{operator}{}{}", self.any(&[" ", "", "  "]), self.value()));
        while self.chance(25) {
            let line = match self.rng.random_range(0..8) {
                0 => String::new(),
                1 => "# comment".to_owned(),
                2 => format!("  # {}", self.value()),
                _ => format!("{}{}", self.any(&["  ", "      ", "\t"]), self.value()),
            };
            lines.push(line);
        }
    }

    fn value(&mut self) -> String {
        let count = self.rng.random_range(1..=2);
        let pieces: Vec<String> = (0..count).map(|_| self.piece()).collect();
        let joint = self.any(&[" ", "", "  "]);
        format!("{}{}", pieces.join(joint), self.any(&["", "", "", " ", "\t"]))
    }

    fn piece(&mut self) -> String {
        let piece = if self.chance(2) { self.any(&WRONG) } else { self.any(&PIECES) };
        let (section, option) = (self.any(&SECTIONS), self.any(&OPTIONS));
        piece.replace('S', section).replace('O', option)
    }

    fn assignment(&mut self) -> String {
        let section = match self.rng.random_range(0..5) {
            0 => String::new(),
            _ => format!("{}:", self.any(&SECTIONS)),
        };
        if self.profiles > 1 && self.chance(10) {
            let other = self.rng.random_range(1..self.profiles);
            return format!("buildout:extends={}", Case::file_name(other));
        }
        let operator = self.any(&["=", "=", " +=", " -="]);
        format!("{section}{}{operator}{}", self.any(&OPTIONS), self.value())
    }
}
