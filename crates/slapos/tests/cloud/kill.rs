//! Killed at any moment, a cloud comes up again as it was: the same instance in the same partition with the same
//! parameters, and nothing left over.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use testkit::cloud::Cloud;
use testkit::{page, ports};

use crate::cloud;
use crate::release::{WEB, with_instance};

/// How many rounds are played when `SLAPOS_KILL_ROUNDS` does not say.
const ROUNDS: u32 = 50;

/// A part that takes a moment, so that there is a build to be killed.
const SLOW: &str = "
[slow]
recipe = plone.recipe.command
command = sleep 0.3
update-command = sleep 0.3
";

/// What may be killed: a word that its command line holds, and no other's.
const VICTIMS: [&str; 4] = ["proxy start", "node agent", "supervisord", " buildout "];

#[expect(clippy::disallowed_methods, reason = "only the test itself may be told how long to play")]
fn setting(name: &str, default: u32) -> u32 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Kills one of the processes of the cloud; `false` when it does not run at the moment.
fn kill(cloud: &Cloud, victim: &str) -> bool {
    let found =
        cloud.processes().into_iter().find(|(_, line)| line.contains(victim) && !line.contains("slapos up "));
    if let Some((pid, _)) = &found {
        host::process::kill(*pid);
    }
    found.is_some()
}

#[test]
fn whatever_is_killed_the_next_up_brings_everything_back() {
    let seed = setting("SLAPOS_KILL_SEED", 20_261_120);
    let mut random = StdRng::seed_from_u64(u64::from(seed));
    let cloud = cloud();
    let release = with_instance(&cloud, &(WEB.replace("parts = page", "parts = page slow") + SLOW));
    let [port] = ports::free();
    let port = port.to_string();
    let mut text = "round 0".to_owned();
    let parameters = |text: &str| ["--parameters".to_owned(), format!("text={text}"), format!("port={port}")];
    let words = parameters(&text);
    let _ = cloud.up(&release, &words.each_ref().map(String::as_str)).success();

    for round in 1..=setting("SLAPOS_KILL_ROUNDS", ROUNDS) {
        // Every other round something changes, so that something is being done when the blow falls.
        if random.random_bool(0.6) {
            text = format!("round {round}");
        }
        let words = parameters(&text);
        let root = cloud.root();
        let mut up = vec!["up", release.as_str(), "--detach", "--root", root.as_str()];
        up.extend(words.each_ref().map(String::as_str));
        let mut running = cloud.start(&up);
        let victim = VICTIMS[random.random_range(0..VICTIMS.len())];
        std::thread::sleep(std::time::Duration::from_millis(random.random_range(0..1500)));
        let hit = kill(&cloud, victim);
        if random.random_bool(0.3) {
            host::process::kill(running.process.id());
        }
        let _ = running.process.wait();

        let again = cloud.up(&release, &[&words.each_ref().map(String::as_str)[..], &["--json"]].concat());

        let what =
            format!("seed {seed}, round {round}, {victim} {}", if hit { "killed" } else { "not running" });
        assert_eq!(again.code, 0, "{what}:\n{}", again.text());
        assert_eq!(again.json()["partition"], "slappart0", "{what}");
        let url = format!("http://127.0.0.1:{port}/");
        assert_eq!(page::wait_for(&url, |page| page.contains(&text)).trim(), text, "{what}");
        let services = cloud.processes().iter().filter(|(_, line)| line.contains("http.server")).count();
        assert_eq!(services, 1, "{what}: {:?}", cloud.processes());
        for once in ["proxy start", "node agent", "supervisord"] {
            let count = cloud.processes().iter().filter(|(_, line)| line.contains(once)).count();
            assert_eq!(count, 1, "{what}: {once}: {:?}", cloud.processes());
        }
    }

    let _ = cloud.here(&["down"]).success();
    assert_eq!(cloud.processes(), []);
}
