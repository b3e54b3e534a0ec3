//! Processes of a cluster that cannot start: the real program on real engines says what is wrong, which setting it is and what
//! to do, ends with a code that says whether to try again, and leaves nothing behind.

use anyhow::{Context, Result, ensure};
use centro_testkit::{
    Process,
    engines::{Engine, Postgres, RabbitMq, Redis},
    eventually, free_port,
};
use std::{
    env,
    io::{Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};
use tokio::task::JoinSet;

/// A person has to change something.
const USAGE: i32 = 64;
/// An engine is not there.
const UNAVAILABLE: i32 = 69;
const SOON: Duration = Duration::from_secs(60);

struct Engines {
    rabbitmq: RabbitMq,
    redis: Redis,
    postgres: Postgres,
    folder: tempfile::TempDir,
}

/// What one of them is told, and what it has to say.
struct Case {
    name: &'static str,
    set: Vec<String>,
    code: i32,
    says: Vec<String>,
}

fn case(name: &'static str, set: &[String], code: i32, says: &[&str]) -> Case {
    Case {
        name,
        set: set.to_vec(),
        code,
        says: says.iter().map(|text| (*text).to_owned()).collect(),
    }
}

fn binary() -> Result<PathBuf> {
    if let Some(path) = env::var_os("CENTRO_BIN") {
        return Ok(path.into());
    }
    let program = env::current_exe()?;
    let folder = program.parent().and_then(Path::parent);
    Ok(folder.context("two folders down")?.join("centro"))
}

impl Engines {
    async fn start() -> Result<Self> {
        let (rabbitmq, redis, postgres) =
            tokio::try_join!(RabbitMq::start(), Redis::start(), Postgres::start())?;
        Ok(Self {
            rabbitmq,
            redis,
            postgres,
            folder: tempfile::tempdir()?,
        })
    }

    /// A process of the role identity, all of whose settings are good but those that follow.
    fn process(&self, name: &str, role: &str, records: &str, set: &[String]) -> Result<Command> {
        let mut command = Command::new(binary()?);
        command
            .args(["run", "--role", role, "--data"])
            .arg(self.folder.path().join(name))
            .env("NO_COLOR", "1");
        let good = [
            format!("node.name={name}"),
            format!("node.grpc_bind=127.0.0.1:{}", free_port()?),
            format!("node.secret={}", "5a".repeat(32)),
            "node.demo=false".to_owned(),
            "bus.rabbitmq.start_patience=0s".to_owned(),
            "records.acquire_timeout=1s".to_owned(),
            format!("bus.rabbitmq.url={}", self.rabbitmq.url()),
            format!("cluster.redis.url={}", self.redis.url()),
            format!("records.url={records}"),
        ];
        for setting in good.iter().chain(set) {
            command.args(["--set", setting]);
        }
        Ok(command)
    }

    /// Runs all of them at once, each on a database of its own, and looks at how they end.
    async fn are_refused(&self, cases: Vec<Case>) -> Result<()> {
        let mut running = JoinSet::new();
        for case in cases {
            let records = self.postgres.database()?;
            let mut command = self.process(case.name, "identity", &records, &case.set)?;
            running.spawn_blocking(move || (command.output(), case));
        }
        while let Some(ended) = running.join_next().await {
            let (
                output,
                Case {
                    name, code, says, ..
                },
            ) = ended?;
            let output = output?;
            let text = String::from_utf8_lossy(&output.stderr).into_owned();
            let last = text.lines().last().unwrap_or_default();
            ensure!(
                output.status.code() == Some(code),
                "{name} ended with {}: {text}",
                output.status
            );
            for word in says {
                ensure!(last.contains(&word), "{name} does not say {word}: {last}");
            }
            ensure!(!text.contains("hunter2"), "{name} tells a password: {text}");
        }
        Ok(())
    }

    /// Sends Redis a command and gives the beginning of its answer.
    fn ask_redis(&self, command: &str) -> Result<String> {
        let url = self.redis.url();
        let mut stream = TcpStream::connect(url.trim_start_matches("redis://"))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(format!("{command}\r\n").as_bytes())?;
        let mut answer = [0; 256];
        let length = stream.read(&mut answer)?;
        Ok(String::from_utf8_lossy(&answer[..length]).trim().to_owned())
    }

    /// Nothing of a centre is anywhere.
    fn are_untouched(&self) -> Result<()> {
        let exchanges = self.rabbitmq.control(&["list_exchanges", "name"])?;
        ensure!(!exchanges.contains("centro"), "{exchanges}");
        ensure!(self.ask_redis("DBSIZE")? == ":0");
        let databases = "SELECT datname FROM pg_database WHERE datname LIKE 'test_%'";
        for name in self.postgres.sql("postgres", databases)?.lines() {
            let schemas = "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'centro_%'";
            let schemas = self.postgres.sql(name, schemas)?;
            ensure!(schemas.is_empty(), "{name} has {schemas}");
        }
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_fit_is_refused_with_what_to_do_and_nothing_is_written() -> Result<()> {
    let mut engines = Engines::start().await?;
    let nowhere = free_port()?;
    let postgres = |from: &str, to: &str| -> Result<[String; 1]> {
        let url = engines.postgres.database()?.replace(from, to);
        Ok([format!("records.url={url}")])
    };
    let port = engines.postgres.database()?;
    let port = port
        .rsplit_once('/')
        .and_then(|(url, _)| url.rsplit_once(':'));
    let port = port.context("a port")?.1.to_owned();
    let rabbit = |url: String| [format!("bus.rabbitmq.url={url}")];
    let redis = |url: String| [format!("cluster.redis.url={url}")];
    engines
        .are_refused(vec![
            case(
                "stranger",
                &postgres("centro@", "nobody:hunter2@")?,
                USAGE,
                &["PostgreSQL at 127.0.0.1", "nobody", "records.url"],
            ),
            case(
                "database",
                &postgres("/test_", "/nowhere_")?,
                USAGE,
                &["nowhere_", "records.url"],
            ),
            case(
                "superuser",
                &postgres("centro@", "postgres@")?,
                USAGE,
                &[
                    "superuser",
                    "records.url",
                    "ALTER ROLE postgres NOSUPERUSER",
                ],
            ),
            case(
                "unencrypted",
                &[format!(
                    "records.url=postgres://centro@127.0.0.1:{port}/test_0?sslmode=require"
                )],
                USAGE,
                &["sslmode", "records.url"],
            ),
            case(
                "no-postgres",
                &[format!(
                    "records.url=postgres://centro:hunter2@127.0.0.1:{nowhere}/centro"
                )],
                UNAVAILABLE,
                &[
                    "PostgreSQL at 127.0.0.1",
                    "refused",
                    "start it",
                    "records.url",
                ],
            ),
            case(
                "redis-password",
                &redis(engines.redis.url().replace("redis://", "redis://:hunter2@")),
                USAGE,
                &["Redis at redis://127.0.0.1", "cluster.redis.url"],
            ),
            case(
                "no-redis",
                &redis(format!("redis://:hunter2@127.0.0.1:{nowhere}")),
                UNAVAILABLE,
                &[
                    "Redis at redis://127.0.0.1",
                    "cluster.redis.url",
                    "Redis runs",
                ],
            ),
            case(
                "rabbitmq-password",
                &rabbit(engines.rabbitmq.url_of("guest", "hunter2")),
                USAGE,
                &["RabbitMQ at 127.0.0.1", "guest", "bus.rabbitmq.url"],
            ),
            case(
                "vhost",
                &rabbit(engines.rabbitmq.url().replace("%2f", "nowhere")),
                USAGE,
                &["vhost nowhere", "bus.rabbitmq.url"],
            ),
            case(
                "no-rabbitmq",
                &rabbit(format!("amqp://guest:hunter2@127.0.0.1:{nowhere}/%2f")),
                UNAVAILABLE,
                &["RabbitMQ at 127.0.0.1", "start it", "bus.rabbitmq.url"],
            ),
            case(
                "no-secret",
                &["node.secret=".to_owned()],
                USAGE,
                &["node.secret"],
            ),
        ])
        .await?;
    engines.are_untouched()?;

    // Tables of something else, and of a release that is too far ahead.
    let (theirs, ahead) = (engines.postgres.database()?, engines.postgres.database()?);
    let name = |url: &str| url.rsplit('/').next().unwrap_or_default().to_owned();
    let made = "CREATE SCHEMA centro_identity AUTHORIZATION centro; SET ROLE centro; CREATE TABLE centro_identity.";
    engines
        .postgres
        .sql(&name(&theirs), &format!("{made}theirs (n INT)"))?;
    engines.postgres.sql(
        &name(&ahead),
        &format!("{made}seaql_migrations (version TEXT PRIMARY KEY, applied_at BIGINT NOT NULL)"),
    )?;
    let known = "INSERT INTO centro_identity.seaql_migrations \
        SELECT unnest(array['outbox_1_create', 'identity_1_create', 'identity_2_revocations', 'wall_1_raise', 'next_1', 'next_2']), 0";
    engines.postgres.sql(&name(&ahead), known)?;
    // A key of another centre under the same prefix.
    engines.ask_redis("SET other:{members}:version theirs")?;
    engines
        .are_refused(vec![
            case(
                "theirs",
                &[format!("records.url={theirs}")],
                USAGE,
                &["not of this service", "records.url"],
            ),
            case(
                "ahead",
                &[format!("records.url={ahead}")],
                USAGE,
                &["2 versions ahead", "start the release that migrated them"],
            ),
            case(
                "prefix",
                &["cluster.redis.prefix=other".to_owned()],
                USAGE,
                &["other", "cluster.redis.prefix"],
            ),
        ])
        .await?;
    engines.ask_redis("DEL other:{members}:version")?;
    engines
        .postgres
        .sql("postgres", &format!("DROP DATABASE {}", name(&theirs)))?;
    engines
        .postgres
        .sql("postgres", &format!("DROP DATABASE {}", name(&ahead)))?;
    engines.are_untouched()?;

    // Two of one name; another centre on the same keys.
    let records = engines.postgres.database()?;
    let log = engines.folder.path().join("first.log");
    let mut first = engines.process("chat-1", "chat", &records, &[])?;
    let mut first = Process::start(&mut first, &log)?;
    eventually("the first is ready", SOON, async || {
        ensure!(first.ended()?.is_none(), "{}", first.log_tail(10));
        ensure!(first.log().contains("Centro is ready"));
        Ok(())
    })
    .await?;
    engines
        .are_refused(vec![
            case(
                "second",
                &["node.name=chat-1".to_owned()],
                USAGE,
                &["chat-1", "node.name"],
            ),
            case(
                "other-centre",
                &[format!("node.secret={}", "7b".repeat(32))],
                USAGE,
                &["cluster.redis.prefix"],
            ),
        ])
        .await?;

    // An outage is two lines for an operator, and none of them an error of a library.
    engines.rabbitmq.kill()?;
    eventually("the loss is told", SOON, async || {
        let log = first.log();
        ensure!(
            log.matches("lost the connection to RabbitMQ").count() == 2,
            "{log}"
        );
        Ok(())
    })
    .await?;
    engines.rabbitmq.revive().await?;
    eventually("the return is told", SOON, async || {
        let log = first.log();
        ensure!(
            log.matches("connected to RabbitMQ again").count() == 2,
            "{log}"
        );
        Ok(())
    })
    .await?;
    let log = first.log();
    ensure!(!log.contains("lapin") && !log.contains("ERROR"), "{log}");
    first.terminate()?;
    ensure!(first.end(SOON).await?.success(), "{}", first.log_tail(10));
    Ok(())
}
