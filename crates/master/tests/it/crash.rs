//! What was acknowledged is there after a crash, and a master that cannot start says why.

use camino::Utf8PathBuf;
use master::{MasterConfiguration, OpenError, ServeError, bind};
use slap::Value;

use crate::harness::{TestMaster, computer, local, request};

#[test]
fn what_was_acknowledged_survives_a_crash_at_any_moment() {
    let master = TestMaster::start();
    master.client().load_computer_configuration(&computer(4)).unwrap();
    let crashed = tempfile::tempdir().unwrap();

    for index in 0..4 {
        let mut asked = request(&format!("title {index}"));
        asked.parameters.insert("n".to_owned(), Value::Int(index));
        let answer = master.client().request(&asked).unwrap();

        // What is on disk at this moment is what a crash would leave.
        let copy = Utf8PathBuf::try_from(crashed.path().join(format!("{index}.db"))).unwrap();
        for suffix in ["", "-wal"] {
            fs_err::copy(format!("{}{suffix}", master.database), format!("{copy}{suffix}")).unwrap();
        }
        let revived = TestMaster::on(&copy);
        assert_eq!(revived.client().request(&asked).unwrap(), answer);
        let busy = revived.client().computer(&local()).unwrap();
        assert_eq!(busy.partitions.iter().filter(|partition| partition.is_busy()).count() as i64, index + 1);
    }
}

#[test]
fn a_stopped_master_goes_on_where_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let database = Utf8PathBuf::try_from(directory.path().join("master.db")).unwrap();
    let first = TestMaster::on(&database);
    first.client().load_computer_configuration(&computer(2)).unwrap();
    let answer = first.client().request(&request("a")).unwrap();
    first.stop();

    let second = TestMaster::on(&database);

    assert_eq!(second.client().request(&request("a")).unwrap(), answer);
}

#[test]
fn a_port_that_is_taken_is_named() {
    let master = TestMaster::start();
    let directory = tempfile::tempdir().unwrap();
    let database = Utf8PathBuf::try_from(directory.path().join("master.db")).unwrap();

    let Err(error) = bind(MasterConfiguration::new(database, master.address.port())) else {
        panic!("it is taken")
    };

    assert!(matches!(error, ServeError::AddressInUse { .. }), "{error:?}");
    assert_eq!(error.to_string(), format!("the address {} is in use", master.address));
    assert_eq!(error.code(), "E-port-taken");
    assert!(error.hint().is_some());
}

#[test]
fn a_second_master_on_the_same_database_is_refused() {
    let master = TestMaster::start();

    let outcome = bind(MasterConfiguration::new(master.database.clone(), 0));

    assert!(matches!(outcome, Err(ServeError::Database(OpenError::InUse { .. }))));
}

#[test]
fn the_database_of_the_python_proxy_is_taken_over_at_the_start() {
    let directory = tempfile::tempdir().unwrap();
    let database = Utf8PathBuf::try_from(directory.path().join("proxy.db")).unwrap();
    let sql = include_str!("../../../../fixtures/wire/proxy.sql");
    rusqlite::Connection::open(&database).unwrap().execute_batch(sql).unwrap();

    let first = TestMaster::on(&database);
    let imported = first.client().computer(&local()).unwrap();
    first.stop();
    let second = TestMaster::on(&database);

    assert_eq!(second.client().computer(&local()).unwrap(), imported);
    assert_eq!(imported.partitions.iter().filter(|partition| partition.is_busy()).count(), 5);
    assert!(fs_err::exists(format!("{database}-python-17")).unwrap());
}
