//! What an operator wants of shards and processes, on a real Redis.

#![allow(clippy::unwrap_used, clippy::expect_used)] // tests may stop at the first surprise

mod nodes;

use anyhow::{Context, Result, ensure};
use centro_cluster::{Epoch, Members, Ownership, SHARDS, Shard, lease::Token, redis::Table};
use centro_testkit::{engines::Redis, eventually};
use nodes::{Process, SOON, all_owned, settings, settled};
use std::time::{Duration, Instant};

async fn is_at(process: &Process, shard: Shard) -> Result<()> {
    eventually("it has the shard", SOON, async || {
        ensure!(process.ownership.epoch(shard).is_some());
        Ok(())
    })
    .await
}

fn of(process: &Process) -> Shard {
    let mut owned = Shard::all().filter(|s| process.ownership.epoch(*s).is_some());
    owned.next().expect("it has some")
}

#[tokio::test]
async fn a_shard_that_was_moved_stays_over_restarts_until_it_is_moved_back() -> Result<()> {
    let redis = Redis::start().await?;
    let settings = settings(&redis);
    let table = Table::new(&settings)?;
    let a = Process::serve(&settings, "a").await?;
    let b = Process::serve(&settings, "b").await?;
    settled(&[&a, &b]).await?;
    let shard = of(&a);
    table.pin(shard, "b").await?;
    is_at(&b, shard).await?;
    let moved = table.look().await?.moves;
    ensure!(moved.get(&shard).is_some_and(|to| to == "b"), "{moved:?}");
    // A third one comes and goes: the shard stays.
    let c = Process::serve(&settings, "c").await?;
    settled(&[&a, &b, &c]).await?;
    ensure!(b.ownership.epoch(shard).is_some());
    c.ownership.drain().await?;
    // Its process is upgraded: another has the shard meanwhile.
    b.ownership.drain().await?;
    is_at(&a, shard).await?;
    let b = Process::serve(&settings, "b").await?;
    is_at(&b, shard).await?;
    table.unpin(shard).await?;
    is_at(&a, shard).await?;
    ensure!(table.look().await?.moves.is_empty());
    Ok(())
}

#[tokio::test]
async fn who_is_put_aside_owns_nothing_until_it_is_taken_back() -> Result<()> {
    let redis = Redis::start().await?;
    let settings = settings(&redis);
    let table = Table::new(&settings)?;
    let a = Process::serve(&settings, "a").await?;
    let b = Process::serve(&settings, "b").await?;
    settled(&[&a, &b]).await?;
    let (mut told, share) = (b.ownership.aside(), b.owned());
    table.set_aside("b").await?;
    told.wait_for(|aside| *aside).await?;
    eventually("a has all", SOON, async || {
        ensure!(a.owned() == usize::from(SHARDS) && b.owned() == 0);
        Ok(())
    })
    .await?;
    let seen = a.ownership.member("b").context("b lives")?;
    ensure!(seen.draining, "others are to prefer somebody else");
    // It holds over a restart.
    b.ownership.drain().await?;
    let b = Process::join(&settings, nodes::member("b", "routing")).await?;
    eventually("b knows", SOON, async || {
        ensure!(*b.ownership.aside().borrow());
        Ok(())
    })
    .await?;
    table.take_back("b").await?;
    eventually("b has its share again", SOON, async || {
        ensure!(b.owned() == share, "{}", b.owned());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn how_much_goes_on_and_since_when_is_seen_by_who_looks() -> Result<()> {
    let redis = Redis::start().await?;
    let settings = settings(&redis);
    let a = Process::serve(&settings, "a").await?;
    a.ownership.tell_work(|| 7);
    let table = Table::new(&settings)?;
    eventually("it is told", SOON, async || {
        let look = table.look().await?;
        let a = look.sessions.first().context("a is there")?;
        ensure!(a.work == 7 && a.since > 0 && a.since <= look.time, "{a:?}");
        Ok(())
    })
    .await
}

/// Every shard of a process is handed over, and the table says for how long nobody had it.
#[tokio::test]
async fn a_hand_over_says_how_long_nobody_had_the_shard() -> Result<()> {
    let redis = Redis::start().await?;
    let settings = settings(&redis);
    let table = Table::new(&settings)?;
    let a = Process::serve(&settings, "a").await?;
    let b = Process::serve(&settings, "b").await?;
    settled(&[&a, &b]).await?;
    let theirs: Vec<_> = Shard::all()
        .filter(|s| b.ownership.epoch(*s).is_some())
        .collect();
    table.set_aside("b").await?;
    all_owned(&[&a]).await?;
    let pauses = table.pauses().await?;
    let owners = table.look().await?.owners;
    let mut measured = Vec::new();
    for shard in &theirs {
        let (epoch, pause) = pauses[shard];
        let token = Token::read(&owners[shard.index()]).context("it has an owner")?;
        ensure!(epoch == token.epoch && epoch > Epoch(0));
        measured.push(pause);
    }
    measured.sort();
    let p99 = measured[measured.len() * 99 / 100];
    println!(
        "{} shards handed over, nobody had one for {p99:?} (p99)",
        theirs.len()
    );
    // Half of them: what a busy machine adds is not ours.
    let median = measured[measured.len() / 2];
    ensure!(median < Duration::from_secs(1), "{measured:?}");
    Ok(())
}

/// A process of three dies without a word; from then on until each of 256 shards has an owner again.
#[tokio::test]
async fn after_a_death_every_shard_has_an_owner_again() -> Result<()> {
    let redis = Redis::start().await?;
    let settings = settings(&redis);
    let table = Table::new(&settings)?;
    let a = Process::serve(&settings, "a").await?;
    let b = Process::serve(&settings, "b").await?;
    let c = Process::serve(&settings, "c").await?;
    settled(&[&a, &b, &c]).await?;
    let (died, lost) = (Instant::now(), c.owned());
    drop(c);
    all_owned(&[&a, &b]).await?;
    let took = died.elapsed();
    println!("{lost} of {SHARDS} shards taken over {took:?} after a death");
    ensure!(took < 5 * settings.session, "{took:?}");
    // Nobody gave them back, so nobody can say how long they had no owner.
    let owners = table.look().await?.owners;
    let pauses = table.pauses().await?;
    let known = |shard: &Shard| {
        let token = Token::read(&owners[shard.index()]);
        token.is_some_and(|t| {
            pauses
                .get(shard)
                .is_some_and(|(epoch, _)| *epoch == t.epoch)
        })
    };
    let unknown = Shard::all().filter(|s| !known(s)).count();
    ensure!(unknown >= lost, "{unknown} of {lost}");
    ensure!(a.ownership.is_dead("c"));
    Ok(())
}
