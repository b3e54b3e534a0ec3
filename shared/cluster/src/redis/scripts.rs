//! The table's own steps. Each is one script, so nobody sees half of one.

use super::Keys;
use crate::lease::{Beat, Look, Moves, Session};
use crate::{Epoch, SHARDS, Shard};
use ::redis::{RedisResult, Script, aio::ConnectionLike};
use std::{
    sync::{Arc, LazyLock},
    time::Duration,
};

/// How keys and values are laid out. Another layout is another version.
pub const LAYOUT: &str = "centro 1";

macro_rules! script {
    ($name:ident = $($line:literal)+) => {
        static $name: LazyLock<Script> = LazyLock::new(|| Script::new(concat!($($line, "\n"),+)));
    };
}

/// The clock in milliseconds.
macro_rules! clock {
    () => {
        "local t = redis.call('TIME') local now = t[1] * 1000 + math.floor(t[2] / 1000)"
    };
}

script! { JOIN =
    // version, ours
    "local v = redis.call('GET', KEYS[1])"
    "if not v then redis.call('SET', KEYS[1], ARGV[1]) return ARGV[1] end"
    "return v"
}

static BEAT: LazyLock<Script> = LazyLock::new(|| {
    Script::new(concat!(
        clock!(),
        r"
        -- KEYS session, names; ARGV session, nonce, ttl, name
        local old, since = redis.call('GET', KEYS[1]), string.format('%.0f', now)
        if old then
          local began, session = string.match(old, '^(%d+) (.*)$')
          if cjson.decode(session).nonce ~= ARGV[2] then return 0 end
          since = began
        end
        redis.call('SET', KEYS[1], since .. ' ' .. ARGV[1], 'PX', ARGV[3])
        redis.call('SADD', KEYS[2], ARGV[4])
        return tonumber(since)"
    ))
});

static LOOK: LazyLock<Script> = LazyLock::new(|| {
    Script::new(concat!(
        clock!(),
        r"
        -- KEYS names, moves, aside; ARGV what keys of sessions begin with
        local sessions = {}
        for _, name in ipairs(redis.call('SMEMBERS', KEYS[1])) do
            local session = redis.call('GET', ARGV[1] .. name)
            if session then sessions[#sessions + 1] = session else redis.call('SREM', KEYS[1], name) end
        end
        return {now, sessions, redis.call('HGETALL', KEYS[2]), redis.call('SMEMBERS', KEYS[3])}"
    ))
});

// An epoch is greater than the one before, and no less than the clock, so that a table that lost everything gives out
// none that was there before.
static CLAIM: LazyLock<Script> = LazyLock::new(|| {
    Script::new(concat!(
        clock!(),
        r"
        -- KEYS owner, epoch, given back, pause; ARGV owner seen, until, nonce
        if now > tonumber(ARGV[2]) or (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return {0, -1} end
        local epoch = math.max(tonumber(redis.call('GET', KEYS[2]) or 0) + 1, now)
        local text = string.format('%.0f', epoch)
        redis.call('SET', KEYS[2], text)
        redis.call('SET', KEYS[1], text .. '|' .. ARGV[3])
        local back, pause = redis.call('GET', KEYS[3]), -1
        if back then pause = math.max(now - back, 0) redis.call('DEL', KEYS[3]) end
        redis.call('SET', KEYS[4], text .. ' ' .. string.format('%.0f', pause))
        return {epoch, pause}"
    ))
});

// When it was is kept for a minute: who takes it later takes it over from nobody.
static RELEASE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(concat!(
        clock!(),
        r"
        -- KEYS owner, given back; ARGV owner
        if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
        redis.call('SET', KEYS[1], '')
        redis.call('SET', KEYS[2], string.format('%.0f', now), 'PX', 60000)
        return 1"
    ))
});

script! { LEAVE =
    // KEYS session, names; ARGV nonce, name
    "local old = redis.call('GET', KEYS[1])"
    "if old and cjson.decode(string.match(old, '^%d+ (.*)$')).nonce == ARGV[1] then"
    "  redis.call('DEL', KEYS[1]) redis.call('SREM', KEYS[2], ARGV[2])"
    "end"
    "return 1"
}

/// Writes whose keys these are, unless it is written; what is written then.
pub async fn join(
    mut to: impl ConnectionLike,
    version: String,
    ours: String,
) -> RedisResult<String> {
    JOIN.key(version).arg(ours).invoke_async(&mut to).await
}

/// Renews a session, or begins it.
pub async fn beat(
    mut to: impl ConnectionLike,
    (session, names): (String, String),
    me: Session,
    ttl: u64,
) -> RedisResult<Beat> {
    let text = serde_json::to_string(&me).map_err(unreadable)?;
    let mut script = BEAT.key(session);
    script.key(names).arg(text).arg(&*me.nonce);
    script.arg(ttl).arg(&*me.name);
    Ok(match script.invoke_async(&mut to).await? {
        0 => Beat::Taken,
        since => Beat::Lives { since },
    })
}

/// Looks at sessions first and at owners then.
pub async fn look(mut to: impl ConnectionLike, keys: &Keys) -> RedisResult<Look> {
    let mut script = LOOK.key(keys.names());
    script.key(keys.moves()).key(keys.aside());
    script.arg(keys.sessions());
    type Told = (u64, Vec<String>, Vec<(String, String)>, Vec<String>);
    let (time, sessions, moved, aside): Told = script.invoke_async(&mut to).await?;
    let owners: Vec<_> = Shard::all().map(|shard| keys.owner(shard)).collect();
    let owners: Vec<Option<String>> = ::redis::cmd("MGET")
        .arg(owners)
        .query_async(&mut to)
        .await?;
    let sessions: Result<Vec<_>, _> = sessions.iter().map(|text| session(text)).collect();
    let moved = moved.into_iter().filter_map(|(shard, to)| {
        let shard = shard.parse::<u16>().ok().filter(|shard| *shard < SHARDS)?;
        // A version before this one wrote the process's start behind its name.
        let name = to.split('|').next().unwrap_or_default();
        Some((Shard::of(u128::from(shard)), name.to_owned()))
    });
    Ok(Look {
        time,
        sessions: sessions.map_err(unreadable)?,
        owners: owners.into_iter().map(Option::unwrap_or_default).collect(),
        moves: moved.collect::<Moves>(),
        aside: aside.into_iter().map(Arc::from).collect(),
    })
}

/// A session as it is written: when it began, and who it is.
fn session(text: &str) -> serde_json::Result<Session> {
    let (since, session) = text.split_once(' ').unwrap_or_default();
    let session: Session = serde_json::from_str(session)?;
    Ok(Session {
        since: since.parse().unwrap_or_default(),
        ..session
    })
}

/// Takes a shard, and says how long nobody had it if it was given back; `None` when somebody was faster, or it was too late.
pub async fn claim(
    mut to: impl ConnectionLike,
    (keys, shard): (&Keys, Shard),
    (seen, until): (String, u64),
    nonce: String,
) -> RedisResult<Option<(Epoch, Option<Duration>)>> {
    let mut script = CLAIM.key(keys.owner(shard));
    script.key(keys.epoch(shard)).key(keys.given_back(shard));
    script.key(keys.pause(shard));
    script.arg(seen).arg(until).arg(nonce);
    let (epoch, pause): (u64, i64) = script.invoke_async(&mut to).await?;
    let pause = u64::try_from(pause).ok().map(Duration::from_millis);
    Ok((epoch > 0).then_some((Epoch(epoch), pause)))
}

/// Gives a shard to nobody.
pub async fn release(
    mut to: impl ConnectionLike,
    (keys, shard): (&Keys, Shard),
    token: String,
) -> RedisResult<()> {
    let mut script = RELEASE.key(keys.owner(shard));
    script.key(keys.given_back(shard)).arg(token);
    script.invoke_async(&mut to).await
}

/// Ends a session.
pub async fn leave(
    mut to: impl ConnectionLike,
    (session, names): (String, String),
    me: Session,
) -> RedisResult<()> {
    let mut script = LEAVE.key(session);
    script.key(names).arg(&*me.nonce).arg(&*me.name);
    script.invoke_async(&mut to).await
}

fn unreadable(error: serde_json::Error) -> redis::RedisError {
    let text = "a session is not readable: another version wrote it";
    (
        redis::ErrorKind::UnexpectedReturnType,
        text,
        error.to_string(),
    )
        .into()
}
