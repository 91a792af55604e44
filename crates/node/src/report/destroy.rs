//! Destroying one instance: it is stopped, its own hook runs, and everything in its partition goes. The partition and
//! what `format` wrote about it stay.

use std::io;

use camino::Utf8Path;
use fs_err as fs;
use host::files;
use slap::Partition;

use super::retention;
use crate::Node;
use crate::build::Build;
use crate::instance::{InstanceError, certificate};
use crate::intended;
use crate::outcome::with_causes;

/// What `format` wrote, which the next instance needs.
const KEPT: &str = ".slapos-resource";

/// Destroys the instance of `partition`; `false` when it is kept for the time being.
pub(super) fn destroy(node: &Node, partition: &Partition) -> Result<bool, InstanceError> {
    let id = partition.id.as_str();
    let directory = node.configuration.partition_directory(&partition.id);
    let supervisor = node.supervisor();
    supervisor.stop(id)?;
    certificate::refresh(node, partition)?;
    if let Err(error) = node.client.stopped(&node.configuration.computer_id, &partition.id) {
        tracing::debug!("the master was not told of the stop of {id}: {}", with_causes(&error));
    }
    let file = |what, path: &Utf8Path| {
        let path = path.to_owned();
        move |source| InstanceError::File { what, path, source }
    };
    if !retention::allows(&directory, node.clock.now())
        .map_err(file("decide on the retention of", &directory))?
    {
        tracing::info!(partition.id = id, "the retention lock prevents the destruction of {id}");
        return Ok(false);
    }
    if is_waited_for(&supervisor, &directory)? {
        tracing::info!(partition.id = id, "{id} is destroyed when its last programs have ended");
        return Ok(false);
    }
    run_hook(node, partition, &directory)?;
    remove_credentials(node, partition).map_err(file("remove the certificate of", &directory))?;
    remove_storage(node, partition, &directory).map_err(file("remove the external data of", &directory))?;
    empty(&directory).map_err(file("empty", &directory))?;
    supervisor.remove(id)?;
    match node.client.destroyed(&node.configuration.computer_id, &partition.id) {
        Ok(()) => {}
        Err(error) if intended::is_unknown(&error) || intended::is_away(&error) => {
            tracing::warn!("the master was not told of the destruction of {id}: {}", with_causes(&error));
        }
        Err(source) => return Err(InstanceError::Master { what: "report the destruction", source }),
    }
    Ok(true)
}

/// Whether a program that must end before the destruction still runs.
fn is_waited_for(
    supervisor: &crate::supervisor::Supervisor,
    directory: &Utf8Path,
) -> Result<bool, InstanceError> {
    let path = directory.join(".slapos-report-wait-service-list");
    let listed = files::read_text_if_present(&path).map_err(|source| InstanceError::File {
        what: "read",
        path: path.clone(),
        source,
    })?;
    let Some(listed) = listed else { return Ok(false) };
    let processes = supervisor.client().processes().map_err(crate::supervisor::SupervisorError::from)?;
    Ok(processes.iter().any(|process| {
        process.state.is_running() && listed.lines().any(|name| name.trim() == process.full_name())
    }))
}

fn run_hook(node: &Node, partition: &Partition, directory: &Utf8Path) -> Result<(), InstanceError> {
    let hook = directory.join("sbin/destroy");
    if !hook.exists() {
        return Ok(());
    }
    let build = Build {
        subject: partition.id.to_string(),
        directory: directory.to_owned(),
        engine: vec![hook.into_string().into()],
        arguments: Vec::new(),
        limit: node.configuration.partition_timeout,
        attached: false,
    };
    Ok(build.run(node, &mut |_| {})?)
}

fn remove_credentials(node: &Node, partition: &Partition) -> io::Result<()> {
    let Some(place) = &node.configuration.credentials.partition_directory else { return Ok(()) };
    for extension in ["crt", "key"] {
        files::remove_if_present(&place.join(format!("{}.{extension}", partition.id)))?;
    }
    Ok(())
}

/// Removes what the partition keeps on other disks.
fn remove_storage(node: &Node, partition: &Partition, directory: &Utf8Path) -> io::Result<()> {
    let Some(home) = &node.configuration.instance_storage_home else { return Ok(()) };
    let links = directory.join("DATA");
    if !links.is_dir() {
        return Ok(());
    }
    for entry in links.read_dir_utf8()? {
        let entry = entry?;
        // The link's name says which disk; where it leads is the tenant's business and not followed.
        let external = home.join(entry.file_name()).join(partition.id.as_str());
        if external.is_dir() {
            empty(&external)?;
        }
        files::remove_tree(entry.path())?;
    }
    Ok(())
}

fn empty(directory: &Utf8Path) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_name() == KEPT {
            continue;
        }
        let path = camino::Utf8PathBuf::try_from(entry.path())
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        files::remove_tree(&path)?;
    }
    Ok(())
}
