//! `slapos status`: the services of this machine's cloud, and how each is.

use serde_json::{Value, json};
use slap::client::{Client, Endpoint};
use slap::status::StatusWord;

use crate::cloud::instances::{self, InstanceView};
use crate::cloud::{Cloud, deploy, settings};
use crate::command::{Example, Group, Habit, Subcommand};
use crate::context::Context;
use crate::failure::{Failure, Kind};

/// Show the services and how each is
#[derive(Debug, clap::Args)]
pub(crate) struct Status {
    /// Title of one service, shown with its promises and processes
    name: Option<String>,
    /// Directory of the cloud
    #[arg(long, value_name = "DIR")]
    root: Option<String>,
}

impl Subcommand for Status {
    const NAME: &'static str = "status";
    const GROUP: Group = Group::FirstHour;
    const HABIT: Habit = Habit::Quiet;
    const EXAMPLES: &'static [Example] = &[
        ("slapos status", "one line for each service"),
        ("slapos status flask", "its promises, processes and address"),
        ("slapos status --output json", "the same for a program"),
    ];
    const EXIT_CODES: &'static [(u8, &'static str)] = &[(1, "or something fails"), (3, "nothing runs")];

    fn run(self, context: &Context<'_>) -> Result<u8, Failure> {
        let cloud = Cloud::chosen(context.environment, self.root.as_deref())?;
        let views = views(&cloud)?;
        let shown: Vec<&InstanceView> = match &self.name {
            None => views.iter().collect(),
            Some(name) => vec![named(&views, name)?],
        };
        if context.output.is_json() {
            context.output.json(&Value::Array(shown.iter().map(|view| document(view)).collect()));
        } else if shown.is_empty() {
            context.output.done("No service was asked for yet: slapos up PROFILE");
        } else {
            table(context, &shown);
            let is_detailed = self.name.is_some();
            for view in shown.iter().filter(|view| is_detailed || view.status.word == StatusWord::Failing) {
                context.output.answer(&details(view, is_detailed));
            }
        }
        let fails =
            shown.iter().any(|view| matches!(view.status.word, StatusWord::Failing | StatusWord::Degraded));
        Ok(u8::from(fails))
    }
}

/// The instances of a cloud whose master answers.
pub(crate) fn views(cloud: &Cloud) -> Result<Vec<InstanceView>, Failure> {
    cloud.enter()?;
    let port = settings::remembered_port(cloud).ok_or_else(|| cloud.absent())?;
    let client = Client::new(&Endpoint::new(settings::master_url(port)))?;
    if crate::cloud::daemon::holder(&cloud.lock("master")).ok().flatten().is_none() {
        return Err(Failure::new(Kind::Unreachable, format!("the cloud in {} is stopped", cloud.root()))
            .hint("slapos up goes on with it")
            .code("E-cloud-stopped"));
    }
    let computer = client.computer(&deploy::computer())?;
    let mut views = instances::look(cloud, &computer);
    views.sort_by(|left, right| (left.status.word, left.title()).cmp(&(right.status.word, right.title())));
    Ok(views)
}

/// The instance of that title or partition.
pub(crate) fn named<'a>(views: &'a [InstanceView], name: &str) -> Result<&'a InstanceView, Failure> {
    let found = views.iter().find(|view| view.title() == name || view.partition.id.as_str() == name);
    found.ok_or_else(|| {
        let near = buildout::nearest(name, views.iter().map(InstanceView::title));
        let mut failure =
            Failure::new(Kind::Usage, format!("there is no service `{name}`")).code("E-service-unknown");
        if let Some(near) = near.first() {
            failure = failure.hint(format!("did you mean {near}?"));
        }
        failure.hint("slapos status lists them")
    })
}

fn table(context: &Context<'_>, views: &[&InstanceView]) {
    let rows: Vec<Vec<String>> = views
        .iter()
        .map(|view| {
            vec![
                view.status.word.shape().to_string(),
                view.title().to_owned(),
                view.status.word.to_string(),
                view.status.reason.lines().next().unwrap_or_default().to_owned(),
                format!("{}/{}", view.partition.computer, view.partition.id),
                url(view).unwrap_or_default(),
            ]
        })
        .collect();
    context.output.table(&["", "NAME", "STATUS", "REASON", "WHERE", "URL"], &rows);
}

fn details(view: &InstanceView, is_whole: bool) -> String {
    let mut lines = Vec::new();
    for promise in view.promises.iter().filter(|promise| is_whole || promise.failed) {
        let word = if promise.failed { "fails" } else { "passes" };
        let since = promise.date.strftime("%Y-%m-%d %H:%M:%S UTC");
        let said = promise.message.lines().next().unwrap_or_default();
        lines.push(format!("  promise {:<24} {word:<7} {since}  {said}", promise.name));
    }
    for process in view.processes.iter().filter(|_| is_whole) {
        lines.push(format!(
            "  process {:<24} {:<7} {}",
            process.name,
            process.state.name(),
            process.description
        ));
    }
    for (name, value) in view.partition.connection.iter().filter(|_| is_whole) {
        lines.push(format!("  {name} = {value}"));
    }
    lines.join("\n")
}

/// The address that the instance published, by the names that releases use for it.
fn url(view: &InstanceView) -> Option<String> {
    let connection = crate::serialisation::unwrapped(json!(view.partition.connection));
    ["url", "site-url", "frontend-url", "backend-url"]
        .iter()
        .find_map(|name| connection.get(name).and_then(Value::as_str).map(str::to_owned))
}

fn document(view: &InstanceView) -> Value {
    let promises: Vec<Value> = view
        .promises
        .iter()
        .map(|promise| {
            json!({
                "name": promise.name,
                "failed": promise.failed,
                "message": promise.message,
                "date": promise.date.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            })
        })
        .collect();
    let processes: Vec<Value> = view
        .processes
        .iter()
        .map(|process| json!({ "name": process.name, "state": process.state.name(), "pid": process.pid }))
        .collect();
    json!({
        "title": view.title(),
        "status": view.status.word,
        "reason": view.status.reason,
        "computer": view.partition.computer,
        "partition": view.partition.id,
        "requested-state": view.partition.requested_state,
        "software-url": view.partition.release,
        "up-to-date": view.is_current,
        "url": url(view),
        "connection-parameters": view.partition.connection,
        "promises": promises,
        "processes": processes,
    })
}
