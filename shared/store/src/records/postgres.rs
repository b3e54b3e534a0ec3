//! A schema per service in one PostgreSQL database.

use super::Limits;
use crate::{Db, Refused, db::Doubt, wall};
use sea_orm::{
    ConnectOptions, Database, DbErr,
    sqlx::{
        ConnectOptions as _, Connection, Error,
        postgres::{PgConnectOptions, PgConnection},
    },
};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// What a URL may say after its `?`. What is not known is refused: it would be ignored, and put into the log.
const PARAMETERS: &[&str] = &[
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "host",
    "port",
    "dbname",
    "user",
    "password",
    "statement-cache-capacity",
];
const EXAMPLE: &str = "write postgres://USER:PASSWORD@HOST:5432/DATABASE?sslmode=verify-full";

/// A connection that was not used for so long is asked whether it still works.
const STALE: Duration = Duration::from_secs(1);
/// Connections that are not used for so long are closed.
const IDLE: Duration = Duration::from_secs(300);
/// How long a transaction may do nothing before the server ends it: its process may be cut off, and others wait for its locks.
const IDLE_IN_TRANSACTION: Duration = Duration::from_secs(30);
/// Between two tries to reach a server at the start.
const PAUSE: Duration = Duration::from_millis(200);
/// How long a connection in doubt may take to answer before it is given up.
const SIGN_OF_LIFE: Duration = Duration::from_secs(1);

/// Reads a URL. What it says of a mistake has no password in it.
pub fn read(url: &str) -> Result<PgConnectOptions, String> {
    let scheme = url.split_once("://").map(|(scheme, _)| scheme);
    if !matches!(scheme, Some("postgres" | "postgresql")) {
        return Err(EXAMPLE.to_owned());
    }
    let query = url.split_once('?').map_or("", |(_, query)| query);
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let key = pair.split_once('=').map_or(pair, |(key, _)| key);
        if !PARAMETERS.contains(&key) {
            let known = PARAMETERS.join(", ");
            return Err(format!(
                "what stands after ? may have {known}, and nothing else"
            ));
        }
    }
    let options: PgConnectOptions = url.parse().map_err(|_| {
        format!("it cannot be read; {EXAMPLE}, with %40 for a @ in the password, and so on")
    })?;
    if options.get_database().is_none() {
        return Err(format!("it names no database; {EXAMPLE}"));
    }
    Ok(options)
}

/// Waits until the server lets us in. What does not pass by waiting is said at once.
pub async fn reach(options: &PgConnectOptions, patience: Duration) -> Result<(), Refused> {
    let until = Instant::now() + patience;
    loop {
        let connecting = PgConnection::connect_with(options);
        let error = match timeout_at(until, connecting).await {
            Ok(Ok(connection)) => {
                // It was to look; what the server thinks of the end does not matter.
                let _ = connection.close().await;
                return Ok(());
            }
            Ok(Err(error)) => error,
            Err(_) => Error::PoolTimedOut,
        };
        let refused = refused(options, &error);
        if !refused.is_away() || Instant::now() + PAUSE >= until {
            return Err(refused);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn refused(options: &PgConnectOptions, error: &Error) -> Refused {
    let place = format!(
        "{}:{}/{}",
        options.get_host(),
        options.get_port(),
        options.get_database().unwrap_or_default()
    );
    let is_final = match error {
        // Who we are, the database that is meant, and whether we may.
        Error::Database(said) => said.code().is_some_and(|code| {
            code.starts_with("28") || code.starts_with("3D") || code.starts_with("42")
        }),
        Error::Tls(_) | Error::Configuration(_) => true,
        _ => false,
    };
    if is_final {
        return Refused::Access {
            place,
            user: options.get_username().to_owned(),
            reason: error.to_string(),
        };
    }
    let reason = match error {
        Error::PoolTimedOut => "no greeting in time".to_owned(),
        error => error.to_string(),
    };
    Refused::Away { place, reason }
}

/// Opens a pool whose connections see the service's schema and nothing else.
pub async fn connect(
    options: &PgConnectOptions,
    limits: Limits,
    service: &str,
    read_only: bool,
) -> Result<Db, DbErr> {
    let schema = schema(service);
    let session = session(options, limits, &schema, read_only);
    let doubt = Doubt::default();
    // The library writes this URL into its traces, so it has nothing in it: the closure gives the real one.
    let mut pool = ConnectOptions::new("postgres://localhost/centro");
    let doubted = doubt.clone();
    pool.max_connections(limits.connections)
        .min_connections(0)
        .acquire_timeout(limits.acquire_timeout)
        .idle_timeout(IDLE)
        .test_before_acquire_if_idle_for(STALE)
        .sqlx_logging(false)
        .map_sqlx_postgres_opts(move |_| session.clone())
        .map_sqlx_postgres_pool_opts(move |pool| {
            let doubt = doubted.clone();
            pool.after_release(move |connection, _| {
                let doubt = doubt.clone();
                Box::pin(async move { answers(connection, &doubt).await })
            })
        });
    let pool = Database::connect(pool).await?;
    Ok(Db::of_schema(pool, schema, limits, doubt))
}

/// Other programs may have schemas in the same database.
fn schema(service: &str) -> String {
    format!("centro_{service}")
}

fn session(
    options: &PgConnectOptions,
    limits: Limits,
    schema: &str,
    read_only: bool,
) -> PgConnectOptions {
    let millis = |duration: Duration| duration.as_millis().to_string();
    options
        .clone()
        .application_name(schema)
        .options([
            ("search_path", schema.to_owned()),
            // Nobody's rows until a transaction says whose.
            (wall::SETTING, String::new()),
            ("statement_timeout", millis(limits.statement_timeout)),
            (
                "idle_in_transaction_session_timeout",
                millis(IDLE_IN_TRANSACTION),
            ),
            // A statement whose asker is gone ends.
            ("client_connection_check_interval", "2s".to_owned()),
            ("tcp_keepalives_idle", "30".to_owned()),
            ("tcp_keepalives_interval", "10".to_owned()),
            ("tcp_keepalives_count", "3".to_owned()),
            (
                "default_transaction_read_only",
                if read_only { "on" } else { "off" }.to_owned(),
            ),
        ])
        .disable_statement_logging()
}

/// A connection whose last statement got no answer must not keep its place in the pool until the network gives it up, which
/// takes a quarter of an hour.
async fn answers(connection: &mut PgConnection, doubt: &Doubt) -> Result<bool, Error> {
    if !doubt.is_raised() {
        return Ok(true);
    }
    match tokio::time::timeout(SIGN_OF_LIFE, connection.ping()).await {
        Ok(Ok(())) => {
            doubt.settle();
            Ok(true)
        }
        Ok(Err(error)) => Err(error),
        Err(_) => Err(Error::PoolTimedOut),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_read_with_what_it_says_of_tls() {
        use sea_orm::sqlx::postgres::PgSslMode;
        let read = read("postgresql://centro:p%40ss@db.example.com:6432/calls?sslmode=verify-full");
        let read = read.unwrap();
        assert_eq!((read.get_host(), read.get_port()), ("db.example.com", 6432));
        assert_eq!(read.get_database(), Some("calls"));
        assert!(matches!(read.get_ssl_mode(), PgSslMode::VerifyFull));
    }

    #[test]
    fn what_is_wrong_with_a_url_is_said_without_its_password() {
        for url in [
            "mysql://me:hunter2@db/x",
            "me:hunter2@db/x",
            "postgres://me:hunter2@db",
            "postgres://me:hunter2@db:x/y",
            "postgres://me@db/x?passwd=hunter2",
            "postgres://me:hunter2@db/x?sslmode=perhaps",
        ] {
            let wrong = read(url).expect_err(url);
            assert!(!wrong.contains("hunter2"), "{wrong}");
        }
    }
}
