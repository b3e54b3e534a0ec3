//! Who owns what, read where the processes write it: in Redis.

use anyhow::{Context, Result, ensure};
use centro_testkit::{Cluster, eventually};
use std::{collections::BTreeMap, time::Duration};

const SHARDS: u32 = 256;

/// The owner of each shard as it is written down: `epoch|name|number`, or empty.
///
/// # Errors
/// Redis does not answer.
pub fn tokens(cluster: &Cluster) -> Result<Vec<String>> {
    let keys: Vec<String> = (0..SHARDS)
        .map(|s| format!("centro:{{s{s}}}:owner"))
        .collect();
    let mut command = vec!["MGET"];
    command.extend(keys.iter().map(String::as_str));
    let tokens = cluster.redis.ask(&command)?;
    ensure!(tokens.len() == SHARDS as usize, "{} owners", tokens.len());
    Ok(tokens)
}

/// Where a shard's owner is written.
pub fn key(shard: usize) -> String {
    format!("centro:{{s{shard}}}:owner")
}

/// The process in an owner's token.
pub fn name(token: &str) -> &str {
    token.split('|').nth(1).unwrap_or_default()
}

/// The process that owns a queue or an agent, by the id.
///
/// # Errors
/// Nobody does.
pub fn owner(cluster: &Cluster, id: &str) -> Result<String> {
    let hex = id.split_once('_').context("an id")?.1;
    let shard = u128::from_str_radix(hex, 16)? % u128::from(SHARDS);
    let tokens = tokens(cluster)?;
    let owner = name(&tokens[shard as usize]);
    ensure!(!owner.is_empty(), "nobody owns {id}");
    Ok(owner.to_owned())
}

/// How many shards each process owns.
///
/// # Errors
/// Redis does not answer.
pub fn shares(cluster: &Cluster) -> Result<BTreeMap<String, usize>> {
    let mut shares = BTreeMap::new();
    for token in tokens(cluster)? {
        *shares.entry(name(&token).to_owned()).or_default() += 1;
    }
    Ok(shares)
}

/// Waits until exactly these processes own all shards.
///
/// # Errors
/// They do not in time.
pub async fn owned_by(cluster: &Cluster, names: &[&str], within: Duration) -> Result<()> {
    eventually(&format!("{names:?} own all"), within, async || {
        let shares = shares(cluster)?;
        let owners: Vec<&str> = shares.keys().map(String::as_str).collect();
        ensure!(owners == names, "{shares:?}");
        Ok(())
    })
    .await
}
