//! The table as an operator sees and changes it, without taking part.

use super::{Away, Error, Keys, Link, Settings, scripts};
use crate::{Epoch, Shard, lease::Look};
use std::{collections::BTreeMap, time::Duration};

/// Looks at the table and writes what people want of it. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Table {
    link: Link,
    keys: Keys,
    settings: Settings,
}

impl Table {
    /// A table that is connected to when it is first used. Must be called on a tokio runtime.
    ///
    /// # Errors
    /// A setting is wrong.
    pub fn new(settings: &Settings) -> Result<Self, Error> {
        settings.validate().map_err(Error::Settings)?;
        let link = Link::new(settings);
        Ok(Self {
            link: link.map_err(|e| Error::Settings(format!("cluster.redis.url: {e}")))?,
            keys: Keys::new(&settings.prefix),
            settings: settings.clone(),
        })
    }

    /// How often processes look at the table, and how long a session lasts.
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What is written now.
    ///
    /// # Errors
    /// Redis is away.
    pub async fn look(&self) -> Result<Look, Error> {
        let keys = self.keys.clone();
        self.ask(|link| async move { scripts::look(link, &keys).await })
            .await
    }

    /// How long nobody had a shard before its present owner, for those that were given back and not taken from the dead.
    ///
    /// # Errors
    /// Redis is away.
    pub async fn pauses(&self) -> Result<BTreeMap<Shard, (Epoch, Duration)>, Error> {
        let keys: Vec<_> = Shard::all().map(|shard| self.keys.pause(shard)).collect();
        let read = |text: String| {
            let (epoch, pause) = text.split_once(' ')?;
            let pause = Duration::from_millis(pause.parse().ok()?);
            Some((Epoch(epoch.parse().ok()?), pause))
        };
        let written: Vec<Option<String>> = self
            .ask(|mut link| async move {
                let mut all = redis::cmd("MGET");
                all.arg(keys).query_async(&mut link).await
            })
            .await?;
        let all = Shard::all().zip(written);
        Ok(all
            .filter_map(|(shard, text)| Some((shard, read(text?)?)))
            .collect())
    }

    /// Moves a shard to the process of that name by hand. It is there whenever the process can own shards, until
    /// [`Self::unpin`].
    ///
    /// # Errors
    /// Redis is away.
    pub async fn pin(&self, shard: Shard, to: &str) -> Result<(), Error> {
        let mut put = redis::cmd("HSET");
        put.arg(self.keys.moves()).arg(shard.index()).arg(to);
        self.run(put).await
    }

    /// Undoes a move by hand.
    ///
    /// # Errors
    /// Redis is away.
    pub async fn unpin(&self, shard: Shard) -> Result<(), Error> {
        let mut remove = redis::cmd("HDEL");
        remove.arg(self.keys.moves()).arg(shard.index());
        self.run(remove).await
    }

    /// The process of that name is to own nothing and take nothing new, until [`Self::take_back`]. It holds over its restarts.
    ///
    /// # Errors
    /// Redis is away.
    pub async fn set_aside(&self, node: &str) -> Result<(), Error> {
        let mut add = redis::cmd("SADD");
        add.arg(self.keys.aside()).arg(node);
        self.run(add).await
    }

    /// The process of that name may work again.
    ///
    /// # Errors
    /// Redis is away.
    pub async fn take_back(&self, node: &str) -> Result<(), Error> {
        let mut remove = redis::cmd("SREM");
        remove.arg(self.keys.aside()).arg(node);
        self.run(remove).await
    }

    async fn run(&self, command: redis::Cmd) -> Result<(), Error> {
        self.ask(|mut link| async move { command.query_async(&mut link).await })
            .await
    }

    async fn ask<T, F>(
        &self,
        ask: impl FnOnce(redis::aio::ConnectionManager) -> F + Send + 'static,
    ) -> Result<T, Error>
    where
        F: Future<Output = redis::RedisResult<T>> + Send,
        T: Send + 'static,
    {
        let asked = self.link.ask(self.settings.timing().patience(), ask).await;
        match asked {
            Ok(told) => Ok(told),
            Err(why) => Err(self.away(self.link.why(why).await)),
        }
    }

    fn away(&self, why: Away) -> Error {
        let at = self.settings.place();
        Error::Away { at, why }
    }
}
