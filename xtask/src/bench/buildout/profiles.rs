//! Generated profiles.

use std::fmt::Write as _;

use camino::Utf8Path;

/// Parts of one recipe with one macro, each naming its predecessor. The recipe comes from the wheels of the peer.
pub(super) fn chain(peer: &Utf8Path, parts: usize) -> String {
    let mut text = format!(
        "[buildout]\nfind-links = {peer}/wheels\nindex = file://{peer}/wheels/\nallow-hosts = none.invalid\n\
         eggs-directory-version =\nversions = versions\nparts =\n"
    );
    for part in 1..=parts {
        let _ = writeln!(text, "  p{part}");
    }
    text += "[versions]\nslapos.recipe.template = 5.1\nzc.buildout = 3.3\nsetuptools = 75.8.2\npip = 25.0\n\
             wheel = 0.45.1\n[base]\nrecipe = slapos.recipe.template\nx = 1\n";
    for part in 1..=parts {
        let before = if part == 1 { "first".to_owned() } else { format!("${{p{}:output}}", part - 1) };
        let _ = write!(
            text,
            "[p{part}]\n<= base\ninline = v ${{:x}} ${{buildout:directory}} {before}\n\
             output = ${{buildout:parts-directory}}/p{part}.txt\n"
        );
    }
    text
}

/// So many profiles with names: each extends up to three that come later, so that most are met on many ways, and has
/// two sections of its own and one that all share.
pub(super) fn graph(profiles: usize) -> impl Iterator<Item = (String, String)> {
    let name = |number: usize| if number == 0 { "buildout.cfg".to_owned() } else { format!("p{number}.cfg") };
    (0..profiles).map(move |number| {
        let mut text = "[buildout]\nparts =\nextends =\n".to_owned();
        for other in [2 * number + 1, 2 * number + 2, number + 3].into_iter().filter(|other| *other < profiles) {
            let _ = writeln!(text, "  {}", name(other));
        }
        for part in 0..2 {
            let _ = write!(
                text,
                "[s{number}-{part}]\nurl = https://example.invalid/{number}/{part}.tar.gz\n\
                 environment =\n  PATH=${{s{}-0:location}}/bin\n  LDFLAGS=-L${{:x}}/lib\nlocation = /l\nx = 1\n",
                number / 2
            );
        }
        let _ = write!(text, "[versions]\np{number} = {number}\n");
        (name(number), text)
    })
}
