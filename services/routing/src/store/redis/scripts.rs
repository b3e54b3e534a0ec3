//! The scripts that write. Each looks at the owner first, so an old one changes nothing.

use ::redis::Script;
use std::sync::LazyLock;

/// What a script refuses an old owner with.
pub const FENCED: &str = "FENCED";

// Both: KEYS owner, outbox, keys of the record. ARGV token, limit of the outbox, number of events, events (about, data), the
// change. They answer how many events found no room.
macro_rules! committing {
    ($change:literal) => {
        LazyLock::new(|| {
            Script::new(concat!(
                r"
                if redis.call('GET', KEYS[1]) ~= ARGV[1] then
                  return redis.error_reply('FENCED the shard has another owner')
                end
                local limit, events = tonumber(ARGV[2]), tonumber(ARGV[3])
                local at = 4 + 2 * events
                ",
                $change,
                r"
                if events == 0 then return 0 end
                local room = math.max(0, limit - redis.call('XLEN', KEYS[2]))
                for i = 0, math.min(room, events) - 1 do
                  redis.call('XADD', KEYS[2], '*', 'about', ARGV[4 + 2 * i], 'data', ARGV[5 + 2 * i])
                end
                return math.max(0, events - room)"
            ))
        })
    };
}

/// KEYS entries, left, queues. ARGV queue, tenant, then (what, contact, record) for each change.
pub static QUEUE: LazyLock<Script> = committing!(
    r"
    for i = at + 2, #ARGV, 3 do
      local what, contact, record = ARGV[i], ARGV[i + 1], ARGV[i + 2]
      if what == 'put' then redis.call('HSET', KEYS[3], contact, record)
      elseif what == 'remove' then redis.call('HDEL', KEYS[3], contact)
      elseif what == 'bury' then redis.call('HSET', KEYS[4], contact, record)
      else redis.call('HDEL', KEYS[4], contact) end
    end
    if at + 2 <= #ARGV then
      if redis.call('EXISTS', KEYS[3]) == 1 then redis.call('HSET', KEYS[5], ARGV[at], ARGV[at + 1])
      else redis.call('HDEL', KEYS[5], ARGV[at]) end
    end"
);

/// KEYS agents. ARGV agent, record; an empty record changes nothing.
pub static AGENT: LazyLock<Script> = committing!(
    r"
    if ARGV[at + 1] ~= '' then redis.call('HSET', KEYS[3], ARGV[at], ARGV[at + 1]) end"
);
