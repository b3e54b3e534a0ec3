//! The engines come up, forget nothing when they are killed, and end with their owner.

use anyhow::{Result, ensure};
use centro_testkit::engines::{Engine, Postgres, RabbitMq, Redis};
use std::{
    io::{BufRead, BufReader, Write},
    net::TcpStream,
};

fn redis(redis: &Redis, line: &str) -> Result<String> {
    let address = redis.url().replace("redis://", "");
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(format!("{line}\r\n").as_bytes())?;
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer)?;
    Ok(answer.trim().to_owned())
}

#[tokio::test]
async fn redis_keeps_what_it_was_told() -> Result<()> {
    let mut engine = Redis::start().await?;
    ensure!(redis(&engine, "SET key 7")? == "+OK");
    engine.kill()?;
    ensure!(redis(&engine, "PING").is_err(), "it is dead");
    engine.revive().await?;
    ensure!(redis(&engine, "INCR key")? == ":8");
    Ok(())
}

#[tokio::test]
async fn postgres_keeps_what_it_was_told() -> Result<()> {
    let mut engine = Postgres::start().await?;
    let url = engine.database()?;
    let name = url.rsplit('/').next().unwrap_or_default().to_owned();
    engine.sql(&name, "CREATE TABLE t AS SELECT 7 AS n")?;
    engine.kill()?;
    ensure!(engine.sql(&name, "SELECT 1").is_err(), "it is dead");
    engine.revive().await?;
    ensure!(engine.sql(&name, "SELECT n FROM t")? == "7");
    Ok(())
}

#[tokio::test]
async fn rabbitmq_comes_back_on_its_port() -> Result<()> {
    let mut engine = RabbitMq::start().await?;
    engine.control(&["add_user", "anna", "secret"])?;
    engine.kill()?;
    engine.revive().await?;
    ensure!(engine.control(&["list_users"])?.contains("anna"));
    Ok(())
}
