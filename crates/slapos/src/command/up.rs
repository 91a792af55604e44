//! `slapos up`: from a profile to a running, checked service, in one directory.

use std::time::Duration;

use host::clock::Clock;
use host::signals::Interruptions;
use host::users::Account;
use node::progress::Follower;
use serde_json::json;
use slap::Instance;

use crate::cloud::daemon::{Held, hold, holder};
use crate::cloud::deploy::{Deployment, Ending};
use crate::cloud::instances::InstanceView;
use crate::cloud::view::View;
use crate::cloud::wish::{Wish, Wishes};
use crate::cloud::{Cloud, account, profile, start, stop};
use crate::command::{Example, Group, Habit, Subcommand};
use crate::context::Context;
use crate::failure::{Failure, Kind};
use crate::serialisation;

/// Build, run and check a profile on this machine
///
/// Starts a master, a node and a supervisor of its own in one directory, installs the release, asks for an instance of
/// it, and shows what happens until its promises pass. Run again, it goes on from where it is.
#[derive(Debug, clap::Args)]
pub(crate) struct Up {
    /// Directory of a software.cfg, such a file, or its address; without it, what was asked for last
    profile: Option<String>,
    /// Leave it running in the background
    #[arg(long, short = 'd')]
    detach: bool,
    /// Directory of the cloud [default: /var/lib/slapos for root, else ~/.local/share/slapos]
    #[arg(long, value_name = "DIR")]
    root: Option<String>,
    /// Parameters of the instance; without them, those of the last time
    #[arg(long, num_args = 1.., value_name = "NAME=VALUE")]
    parameters: Vec<String>,
    /// Title of the instance [default: the name of the profile's directory]
    #[arg(long, value_name = "TITLE")]
    name: Option<String>,
    /// First port to try for the master
    #[arg(long, default_value_t = 8484)]
    port: u16,
    /// How long promises may fail at first before that is an error
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    patience: u64,
}

impl Subcommand for Up {
    const NAME: &'static str = "up";
    const GROUP: Group = Group::FirstHour;
    const HABIT: Habit = Habit::Quiet;
    const EXAMPLES: &'static [Example] = &[
        ("slapos up examples/flask", "stay attached; Ctrl+C stops everything"),
        (
            "slapos up examples/flask --detach --parameters greeting=Bonjour port=8700",
            "with parameters, in the background",
        ),
        ("slapos up", "go on with what was asked for last"),
    ];
    const EXIT_CODES: &'static [(u8, &'static str)] =
        &[(2, "or a promise fails"), (10, "another slapos works on this cloud"), (130, "interrupted")];

    fn run(self, context: &Context<'_>) -> Result<u8, Failure> {
        let interruptions = Interruptions::catch()
            .map_err(|error| Failure::new(Kind::Failed, "cannot catch interruptions").because_of(&error))?;
        let cloud = Cloud::chosen(context.environment, self.root.as_deref())?;
        let profile =
            self.profile.as_deref().map(|text| profile::resolve(context.environment, text)).transpose()?;
        let user = start::become_user(context, &cloud)?;
        if let Some(file) = profile.as_ref().and_then(|profile| profile.file.as_deref()) {
            check_reach(&user, file)?;
        }
        start::prepare(context, &cloud)?;
        let _held = lock(context, &cloud, self.profile.as_deref().unwrap_or_default())?;
        let (title, wish) = self.wish(&cloud, profile)?;
        let mut view = View::new(&context.output);
        let place = Place { context, cloud: &cloud, user: &user, interruptions: &interruptions };
        let result = self.deploy(&place, &title, &wish, &mut view);
        view.close();
        match result {
            Ok(Ending::Running(found, instance)) => {
                show(context, &cloud, &found, &instance, self.root.is_none());
                if self.detach {
                    return Ok(0);
                }
                context
                    .output
                    .done("Attached; Ctrl+C stops everything, `slapos up --detach` leaves it running.");
                stay(&interruptions);
                // A second interruption ends this at once; what then still runs is found by the next `down`.
                drop(interruptions);
                end(context, &cloud)?;
                Ok(0)
            }
            Ok(Ending::Interrupted) if self.detach => {
                context.output.done("Interrupted; it goes on in the background: slapos status, slapos down");
                Ok(Kind::Interrupted.exit_code())
            }
            Ok(Ending::Interrupted) => {
                drop(interruptions);
                end(context, &cloud)?;
                Ok(Kind::Interrupted.exit_code())
            }
            Err(failure) => {
                if !self.detach {
                    end(context, &cloud)?;
                }
                Err(failure)
            }
        }
    }
}

/// Where a deployment is made, by whom, and who may interrupt it.
struct Place<'a> {
    context: &'a Context<'a>,
    cloud: &'a Cloud,
    user: &'a Account,
    interruptions: &'a Interruptions,
}

impl Up {
    /// What is asked for: the profile named, or the last one; the parameters given, or the last ones.
    fn wish(&self, cloud: &Cloud, profile: Option<profile::Profile>) -> Result<(String, Wish), Failure> {
        let mut wishes = Wishes::load(cloud);
        let (title, mut wish) = match profile {
            None => wishes.latest()?,
            Some(profile) => {
                let title = self.name.clone().unwrap_or(profile.title);
                let known = wishes.by_title.get(&title).cloned();
                let parameters = known.map(|wish| wish.parameters).unwrap_or_default();
                (title, Wish { url: profile.url, parameters })
            }
        };
        if !self.parameters.is_empty() {
            wish.parameters = serialisation::pairs("--parameters", &self.parameters)?.into_iter().collect();
        }
        wishes.by_title.insert(title.clone(), wish.clone());
        wishes.last = Some(title.clone());
        wishes.store(cloud).map_err(|error| start::unwritable(cloud, &error))?;
        Ok((title, wish))
    }

    fn deploy(
        &self,
        place: &Place<'_>,
        title: &str,
        wish: &Wish,
        view: &mut View<'_>,
    ) -> Result<Ending, Failure> {
        let Place { context, cloud, user, interruptions } = place;
        let mut follower =
            Follower::from_end(cloud.events()).map_err(|error| start::unwritable(cloud, &error))?;
        let client = start::start(context, cloud, user, self.port, &mut |line| view.line(line))?;
        let patience = Duration::from_secs(self.patience);
        let deployment = Deployment { context, cloud, client: &client, interruptions, patience };
        let (request, answer) = deployment.ask(title, wish, &mut follower)?;
        deployment.follow(&request, &answer, &mut follower, view)
    }
}

/// Takes the cloud for this process: no other `up` or `down` works on it meanwhile.
pub(crate) fn lock(context: &Context<'_>, cloud: &Cloud, profile: &str) -> Result<Held, Failure> {
    let path = cloud.lock("up");
    let since = context.clock.now().strftime("%Y-%m-%d %H:%M:%S UTC");
    let note = format!("slapos up {profile}, since {since}").replace(" ,", ",");
    let held = hold(&path, &note, &context.clock).map_err(|error| start::unwritable(cloud, &error))?;
    if let Some(held) = held {
        return Ok(held);
    }
    let by = holder(&path).ok().flatten();
    let by = by.map_or_else(|| "another process".to_owned(), |by| format!("pid {}: {}", by.pid, by.note));
    Err(Failure::new(Kind::Locked, format!("another slapos works on the cloud in {}", cloud.root()))
        .because(by)
        .hint("look at what it does: slapos status")
        .hint("end it: slapos down; or use another directory: --root DIR")
        .code("E-lock-held"))
}

/// Refuses a profile that the cloud's user cannot read.
fn check_reach(user: &Account, file: &camino::Utf8Path) -> Result<(), Failure> {
    match fs_err::File::open(file) {
        Ok(_) => Ok(()),
        Err(error) => {
            let obstacle = account::obstacle(user, file).unwrap_or_else(|| file.to_owned());
            Err(account::unreachable(user, file, &obstacle).because_of(&error))
        }
    }
}

/// The end of a good `up`: what it published, and how to look further.
fn show(context: &Context<'_>, cloud: &Cloud, found: &InstanceView, instance: &Instance, is_own: bool) {
    let output = &context.output;
    let connection = serialisation::unwrapped(json!(instance.connection));
    output.done(&format!("{} {:<11} {}", found.status.word.shape(), found.title(), sentence(found)));
    if output.is_json() {
        output.json(&json!({
            "title": found.title(),
            "status": found.status.word,
            "reason": found.status.reason,
            "partition": found.partition.id,
            "root": cloud.root(),
            "connection-parameters": connection,
        }));
        return;
    }
    let fields = connection.as_object().into_iter().flatten();
    let width = fields.clone().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let text: String = fields
        .map(|(name, value)| {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            format!("  {name:<width$}  {value}\n")
        })
        .collect();
    if !text.is_empty() {
        output.answer(&text);
    }
    let root = if is_own { String::new() } else { format!(" --root {}", cloud.root()) };
    let title = found.title();
    output.done(&format!("next: slapos status{root}; slapos logs{root} {title}; slapos down{root}"));
}

fn sentence(found: &InstanceView) -> String {
    format!(
        "{}, {}, in {}",
        found.status.word.as_str().to_lowercase(),
        found.status.reason,
        found.partition.id
    )
}

/// Waits until the person has enough.
fn stay(interruptions: &Interruptions) {
    while !interruptions.wait(Duration::from_secs(3600)).unwrap_or(true) {}
}

fn end(context: &Context<'_>, cloud: &Cloud) -> Result<(), Failure> {
    context.output.done("Stopping …");
    let stopped = stop::stop(context, cloud)?;
    context.output.done(&format!("Stopped {}. `slapos up` goes on from here.", stopped.join(", ")));
    Ok(())
}
