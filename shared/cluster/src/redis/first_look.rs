//! Whether a process could take part, found out without writing anything.

use super::{Error, Keys, Link, Settings, scripts};
use crate::SHARDS;
use ::redis::{RedisResult, aio::ConnectionManager};
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// How long a process tries to reach Redis when it starts.
const START: Duration = Duration::from_secs(10);
/// The oldest Redis that is known to work.
const OLDEST: u32 = 7;

/// Looks whether a process of this installation could take part, and changes nothing. Must be called on a tokio runtime.
///
/// # Errors
/// A setting is wrong, Redis is away, refuses us or is too old, or the keys are somebody else's.
pub async fn first_look(settings: &Settings, installation: &str) -> Result<(), Error> {
    settings.validate().map_err(Error::Settings)?;
    let link =
        Link::new(settings).map_err(|e| Error::Settings(format!("cluster.redis.url: {e}")))?;
    let version = Keys::new(&settings.prefix).version();
    let (info, found) = patiently(&link, settings, move |mut link| {
        let version = version.clone();
        async move {
            let asked = ::redis::cmd("INFO")
                .arg("server")
                .query_async(&mut link)
                .await;
            let info: String = match asked {
                // A careful administrator's user may not ask; it can do everything else.
                Err(error) if error.code() == Some("NOPERM") => String::new(),
                asked => asked?,
            };
            let found: Option<String> = ::redis::cmd("GET")
                .arg(version)
                .query_async(&mut link)
                .await?;
            Ok((info, found))
        }
    })
    .await?;
    if let Some(found) = too_old(&info) {
        let at = settings.place();
        return Err(Error::TooOld { at, found });
    }
    match found {
        Some(found) => check_owner(settings, found, ours(installation)),
        None => Ok(()),
    }
}

/// What stands in the table of this installation.
pub fn ours(installation: &str) -> String {
    format!("{}, {SHARDS} shards, {installation}", scripts::LAYOUT)
}

pub fn check_owner(settings: &Settings, found: String, ours: String) -> Result<(), Error> {
    if found == ours {
        return Ok(());
    }
    let prefix = settings.prefix.clone();
    Err(Error::Foreign {
        prefix,
        found,
        ours,
    })
}

/// Asks until there is an answer, for as long as a start may take.
pub async fn patiently<T, F>(
    link: &Link,
    settings: &Settings,
    ask: impl Fn(ConnectionManager) -> F + Clone + Send + 'static,
) -> Result<T, Error>
where
    F: Future<Output = RedisResult<T>> + Send,
    T: Send + 'static,
{
    let tried = Instant::now();
    loop {
        let why = match link.ask(settings.timing().patience(), ask.clone()).await {
            Ok(answer) => return Ok(answer),
            Err(why) => link.why(why).await,
        };
        if why.is_final() || tried.elapsed() >= START {
            return Err(Error::of(settings, why));
        }
        sleep(settings.beat).await;
    }
}

/// The version, where it is one that is too old. What does not say one is given the benefit of the doubt.
fn too_old(info: &str) -> Option<String> {
    let version = info
        .lines()
        .find_map(|line| line.strip_prefix("redis_version:"))?
        .trim();
    let major: u32 = version.split('.').next()?.parse().ok()?;
    (major < OLDEST).then(|| version.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_says_an_old_version_is_too_old() {
        let says = |version| too_old(&format!("# Server\r\nredis_version:{version}\r\nos:x\r\n"));
        assert_eq!(says("6.2.14").as_deref(), Some("6.2.14"));
        assert_eq!(says("7.0.15"), None);
        assert_eq!(says("10.1.0"), None);
        assert_eq!(too_old("# Server\r\nother:1\r\n"), None);
    }
}
