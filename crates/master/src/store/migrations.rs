//! The tables. Each step is applied once, in order, and never changed after it was released.

use rusqlite::Connection;

/// Why the tables could not be brought up to date.
pub(super) enum MigrationError {
    /// A newer master made them.
    Newer,
    Engine(rusqlite::Error),
}

const STEPS: &[&str] = &[
    // 1: computers, partitions, supplies, instances.
    "CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);
     CREATE TABLE counter (name TEXT PRIMARY KEY, next BIGINT NOT NULL);
     INSERT INTO counter (name, next) VALUES
       ('computer', 0), ('supply', 0), ('computer_partition', 0), ('partition_address', 0), ('instance', 0),
       ('shared_instance', 0);

     CREATE TABLE computer (
       id BIGINT PRIMARY KEY,
       reference TEXT NOT NULL UNIQUE,
       address TEXT NOT NULL,
       netmask TEXT NOT NULL,
       -- 1 once it was formatted; 0 when it is only known from a supply.
       formatted BIGINT NOT NULL,
       -- Bumped by whatever changes its document.
       document_version BIGINT NOT NULL,
       -- Bumped by whatever its node must act on.
       demand_version BIGINT NOT NULL,
       status TEXT,
       status_at BIGINT);

     CREATE TABLE supply (
       id BIGINT PRIMARY KEY,
       computer_id BIGINT NOT NULL REFERENCES computer,
       url TEXT NOT NULL,
       state TEXT NOT NULL,
       status TEXT,
       status_at BIGINT,
       UNIQUE (computer_id, url));

     CREATE TABLE computer_partition (
       id BIGINT PRIMARY KEY,
       computer_id BIGINT NOT NULL REFERENCES computer,
       reference TEXT NOT NULL,
       -- 0 free, 1 busy.
       state BIGINT NOT NULL,
       UNIQUE (computer_id, reference));
     CREATE INDEX free_partition ON computer_partition (computer_id, id) WHERE state = 0;

     CREATE TABLE partition_address (
       id BIGINT PRIMARY KEY,
       partition_id BIGINT NOT NULL REFERENCES computer_partition,
       interface TEXT NOT NULL,
       address TEXT NOT NULL,
       netmask TEXT NOT NULL);
     CREATE INDEX partition_address_partition ON partition_address (partition_id, id);

     CREATE TABLE instance (
       id BIGINT PRIMARY KEY,
       -- The title of the root of its tree; empty for a root.
       root_title TEXT NOT NULL,
       title TEXT NOT NULL,
       url TEXT NOT NULL,
       software_type TEXT NOT NULL,
       requested_state TEXT NOT NULL,
       -- These three are parameter documents.
       parameters TEXT NOT NULL,
       connection TEXT NOT NULL,
       filter TEXT NOT NULL,
       partition_id BIGINT NOT NULL UNIQUE REFERENCES computer_partition,
       -- Microseconds of UTC; changes when it must be processed again.
       timestamp BIGINT NOT NULL,
       status TEXT,
       status_at BIGINT,
       UNIQUE (root_title, title));

     CREATE TABLE shared_instance (
       id BIGINT PRIMARY KEY,
       computer_id BIGINT NOT NULL REFERENCES computer,
       -- The title of the root of the requester's tree, an underscore, and the title.
       reference TEXT NOT NULL,
       root_title TEXT NOT NULL,
       title TEXT NOT NULL,
       host_id BIGINT NOT NULL REFERENCES instance,
       software_type TEXT NOT NULL,
       -- A marshalled mapping: the host sees the parameters with their types.
       parameters TEXT NOT NULL,
       connection TEXT NOT NULL,
       status TEXT,
       status_at BIGINT,
       UNIQUE (computer_id, reference));
     CREATE INDEX shared_instance_host ON shared_instance (host_id, id);",
    // 2: what was requested of other masters.
    "CREATE TABLE forwarded_request (
       title TEXT NOT NULL,
       master_url TEXT NOT NULL,
       PRIMARY KEY (title, master_url));",
];

pub(super) fn apply(connection: &Connection) -> Result<(), MigrationError> {
    let failed = MigrationError::Engine;
    connection
        .execute_batch("CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL)")
        .map_err(failed)?;
    let sql = "SELECT COALESCE(MAX(version), 0) FROM schema_version";
    let present: u32 = connection.query_row(sql, [], |row| row.get(0)).map_err(failed)?;
    let present = present as usize;
    if present > STEPS.len() {
        return Err(MigrationError::Newer);
    }
    for (index, step) in STEPS.iter().enumerate().skip(present) {
        connection
            .execute_batch(&format!(
                "BEGIN; {step} INSERT INTO schema_version (version) VALUES ({}); COMMIT",
                index + 1
            ))
            .map_err(failed)?;
    }
    Ok(())
}
