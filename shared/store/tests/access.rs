//! Getting into PostgreSQL: TLS as the URL asks for it, roles that may little, and passwords that are not shown.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test may stop at the first surprise

use centro_store::{
    Limits, Records, Refused,
    inbox::{AddArrival, CreateInbox},
    migrate,
};
use centro_testkit::engines::Postgres;
use sea_orm::{ConnectionTrait, Statement};
use sea_orm_migration::{MigrationTrait, MigratorTrait};
use std::{
    fs::{self, Permissions},
    os::unix::fs::{PermissionsExt, chown},
    path::Path,
    process::Command,
};

const LEAF: &str = "openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=db -keyout server.key -out server.csr && \
    echo subjectAltName=IP:127.0.0.1 > names && \
    openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile names -out server.crt";

fn run(folder: &Path, script: &str) {
    let done = Command::new("sh")
        .args(["-ec", script])
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
}

fn authority(folder: &Path, name: &str) {
    run(
        folder,
        &format!(
            "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN={name} -keyout {name}.key -out {name}.crt"
        ),
    );
}

/// The server reads them under an account of its own when we are root: root's group may not, so the account's may.
fn lend(folder: &Path) {
    fs::set_permissions(folder, Permissions::from_mode(0o755)).unwrap();
    let key = folder.join("server.key");
    let group = Command::new("id")
        .args(["-g", "postgres"])
        .output()
        .unwrap();
    let group = String::from_utf8_lossy(&group.stdout).trim().parse::<u32>();
    match group {
        Ok(group) if chown(&key, None, Some(group)).is_ok() => {
            fs::set_permissions(&key, Permissions::from_mode(0o640)).unwrap();
        }
        _ => fs::set_permissions(&key, Permissions::from_mode(0o600)).unwrap(),
    }
}

async fn is_encrypted(url: &str) -> Result<bool, centro_kernel::Fault> {
    let limits = Limits::default();
    let db = Records::at(url, "unused".as_ref(), limits)
        .unwrap()
        .open("test")
        .await?;
    let asked = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    let asked = Statement::from_string(db.get_database_backend(), asked);
    let row = db.query_one_raw(asked).await.unwrap().unwrap();
    Ok(row.try_get("", "ssl").unwrap())
}

#[tokio::test]
async fn the_url_says_whether_the_server_is_spoken_to_in_secret_and_who_it_must_be() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    authority(path, "ca");
    authority(path, "other");
    run(path, LEAF);
    lend(path);
    let engine = Postgres::start().await.unwrap();
    let url = engine.database().unwrap();
    // It does not speak TLS yet.
    assert!(
        is_encrypted(&format!("{url}?sslmode=require"))
            .await
            .is_err()
    );
    assert!(!is_encrypted(&url).await.unwrap());
    for (key, file) in [
        ("ssl_cert_file", "server.crt"),
        ("ssl_key_file", "server.key"),
    ] {
        let file = path.join(file);
        let set = format!("ALTER SYSTEM SET {key} = '{}'", file.display());
        engine.sql("postgres", &set).unwrap();
    }
    engine.sql("postgres", "ALTER SYSTEM SET ssl = on").unwrap();
    engine.sql("postgres", "SELECT pg_reload_conf()").unwrap();
    let wanted = format!("{url}?sslmode=require");
    while is_encrypted(&wanted).await.is_err() {}
    assert!(is_encrypted(&wanted).await.unwrap());
    let verified = |authority: &str| {
        let authority = path.join(authority);
        format!(
            "{url}?sslmode=verify-full&sslrootcert={}",
            authority.display()
        )
    };
    assert!(is_encrypted(&verified("ca.crt")).await.unwrap());
    let stranger = is_encrypted(&verified("other.crt")).await.unwrap_err();
    assert_eq!(stranger.reason, "storage_unavailable");
}

struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(CreateInbox), Box::new(AddArrival)]
    }
}

#[tokio::test]
async fn a_role_that_may_not_make_schemas_is_told_what_to_do_and_then_needs_no_more() {
    let engine = Postgres::start().await.unwrap();
    let url = engine.database().unwrap();
    let name = url.rsplit('/').next().unwrap();
    engine.sql(name, "CREATE ROLE weak LOGIN").unwrap();
    let url = url.replace("centro@", "weak@");
    let records = Records::at(&url, "unused".as_ref(), Limits::default()).unwrap();
    let db = records.open("test").await.unwrap();
    let refused = migrate::<Migrator>(&db).await.unwrap_err();
    assert!(matches!(refused, Refused::Forbidden { .. }), "{refused}");
    let made = "CREATE SCHEMA centro_test AUTHORIZATION weak";
    assert!(
        refused
            .to_string()
            .contains("CREATE SCHEMA centro_test AUTHORIZATION")
    );
    engine.sql(name, made).unwrap();
    migrate::<Migrator>(&db).await.unwrap();
}

#[tokio::test]
async fn a_password_is_in_no_text() {
    let engine = Postgres::start().await.unwrap();
    let url = engine.database().unwrap();
    let url = url.replace("centro@", "nobody:hunter2@");
    let records = Records::at(&url, "unused".as_ref(), Limits::default()).unwrap();
    let Err(fault) = records.open("test").await else {
        panic!("there is no such role");
    };
    assert_eq!(fault.reason, "storage_unavailable");
    for text in [
        format!("{records:?}"),
        format!("{fault:?}"),
        fault.to_string(),
    ] {
        assert!(!text.contains("hunter2"), "{text}");
    }
    assert!(
        fault.to_string().contains("nobody"),
        "the log has the cause: {fault}"
    );
}
