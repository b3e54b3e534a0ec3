//! What a deposed owner still tried to write, seen at Redis itself: every commit is a script whose first key is the shard's
//! owner and whose first argument is the token under which it is made, and what a script writes follows it.

use super::shards;
use anyhow::{Context, Result};
use centro_testkit::{Cluster, Process};
use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

/// Watches Redis from when it is made until it is asked.
pub struct Watch {
    monitor: Process,
    file: PathBuf,
    owners: HashMap<String, String>,
}

/// Commits under a token that was not the shard's.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Stale {
    /// Those after which something was written: there must be none.
    pub accepted: usize,
    /// Those that changed nothing.
    pub refused: usize,
    /// All others, to know that something was seen at all.
    pub good: usize,
}

impl Watch {
    /// Begins.
    ///
    /// # Errors
    /// `redis-cli` is not installed, or Redis does not answer.
    pub fn begin(cluster: &Cluster) -> Result<Self> {
        let file = cluster
            .folder()
            .join(format!("monitor-{}", rand::random::<u32>()));
        let monitor = cluster.redis.monitor(&file)?;
        let tokens = shards::tokens(cluster)?.into_iter().enumerate();
        let owners = tokens.map(|(shard, token)| (shards::key(shard), token));
        Ok(Self {
            monitor,
            file,
            owners: owners.collect(),
        })
    }

    /// Ends, and tells what was seen.
    ///
    /// # Errors
    /// What was seen cannot be read.
    pub fn end(mut self) -> Result<Stale> {
        self.monitor.kill()?;
        let seen = read(&self.file)?;
        Ok(count(&mut self.owners, &seen))
    }
}

fn read(file: &Path) -> Result<String> {
    let bytes = std::fs::read(file).with_context(|| file.display().to_string())?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn count(owners: &mut HashMap<String, String>, seen: &str) -> Stale {
    let mut stale = Stale::default();
    // Whether the script under way is a stale commit that has written nothing yet.
    let mut refused = false;
    for line in seen.lines() {
        let Some((head, command)) = line.split_once("] ") else {
            continue;
        };
        let words = words(command);
        let word = |n: usize| words.get(n).copied().unwrap_or_default();
        let writes = ["SET", "HSET", "HDEL", "XADD"].contains(&word(0).to_uppercase().as_str());
        if head.ends_with("lua") {
            if writes && refused {
                refused = false;
                stale.refused -= 1;
                stale.accepted += 1;
            }
            if word(0).eq_ignore_ascii_case("SET") && word(1).ends_with(":owner") {
                owners.insert(word(1).to_owned(), word(2).to_owned());
            }
            continue;
        }
        refused = false;
        // EVALSHA sha keys owner outbox … token
        let keys = word(2).parse().unwrap_or(0);
        if word(0).eq_ignore_ascii_case("EVALSHA") && word(4).ends_with(":outbox") {
            if owners
                .get(word(3))
                .is_some_and(|owner| owner == word(3 + keys))
            {
                stale.good += 1;
            } else {
                stale.refused += 1;
                refused = true;
            }
        }
    }
    stale
}

/// The quoted words of a command. What is escaped in them stays so.
fn words(command: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = command;
    while let Some(begin) = rest.find('"') {
        let text = &rest[begin + 1..];
        let mut escaped = false;
        let end = text.bytes().position(|byte| {
            let ends = byte == b'"' && !escaped;
            escaped = byte == b'\\' && !escaped;
            ends
        });
        let Some(end) = end else { break };
        words.push(&text[..end]);
        rest = &text[end + 1..];
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_is_stale_when_the_shard_has_another_owner_and_accepted_when_it_writes() {
        let commit = |token: &str| {
            format!(
                r#"1.0 [0 127.0.0.1:5] "EVALSHA" "5f" "3" "c:{{s7}}:owner" "c:{{s7}}:outbox" "c:{{s7}}:agents" "{token}" "9" "0" "a \" b""#
            )
        };
        let get = r#"1.0 [0 lua] "GET" "c:{s7}:owner""#;
        let claim = r#"1.0 [0 lua] "SET" "c:{s7}:owner" "6|b|1""#;
        let write = r#"1.0 [0 lua] "HSET" "c:{s7}:agents" "a" "b""#;
        let seen = [
            &commit("5|a|1"),
            get,
            write,
            claim,
            &commit("5|a|1"),
            get,
            &commit("6|b|1"),
            get,
            write,
        ];
        let owners = HashMap::from([("c:{s7}:owner".to_owned(), "5|a|1".to_owned())]);
        let found = count(&mut owners.clone(), &seen.join("\n"));
        assert_eq!(
            found,
            Stale {
                accepted: 0,
                refused: 1,
                good: 2
            }
        );
        let seen = [claim, &commit("5|a|1"), get, write, write];
        let found = count(&mut owners.clone(), &seen.join("\n"));
        assert_eq!(
            found,
            Stale {
                accepted: 1,
                refused: 0,
                good: 0
            }
        );
    }
}
