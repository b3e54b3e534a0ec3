//! Strangers: wrong secrets and broken messages.

use anyhow::{Context, Result, ensure};
use centro_testkit::{Centre, eventually, free_sip_port};
use centro_tests::{AGENT_HZ, CALLER_HZ, SOON, floor, metrics, phones, stage};
use rand::{Rng, SeedableRng, rngs::StdRng};
use std::time::{Duration, Instant};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpStream, UdpSocket},
    time::timeout,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn bad_digest_refused_and_throttled() -> Result<()> {
    let builder = Centre::builder()
        .set("telephony.failures_per_source=5")
        .set("telephony.ban=3s");
    stage::with(builder, async |centre| {
        let (anna, supervisor) = (
            centre.credentials().agents[0].clone(),
            centre.supervisor().await?,
        );
        let wrong: Vec<(&str, &str)> = vec![(&anna.username, "not the secret"); 12];
        let mut guesser = phones::scenario(centre, "register_refused")?
            .to(centre.sip())
            .calls(12)
            .accounts(wrong)?
            .start()?;
        // Each call is refused in order: challenged and challenged again, or turned away when the address is banned.
        guesser.succeeds(Duration::from_secs(60)).await?;
        let count = |status: &str| guesser.received_requests(&format!("SIP/2.0 {status}"));
        let (challenges, banned, granted) = (count("401"), count("403"), count("200"));
        ensure!(granted == 0, "{granted} wrong secrets were taken");
        ensure!(
            (5..24).contains(&challenges) && banned >= 1,
            "{challenges} challenges and {banned} refusals for 24 requests"
        );
        ensure!(
            centre.log().contains("the address is banned"),
            "no word of the ban"
        );
        let phones_known = supervisor.get("/v1/registrations").await?;
        ensure!(
            phones_known["registrations"]
                .as_array()
                .is_none_or(Vec::is_empty),
            "{phones_known}"
        );
        // When the ban is over, the owner of the right secret gets in.
        let port = free_sip_port()?;
        eventually(
            "the right secret is taken again",
            Duration::from_secs(30),
            async || phones::register(centre, &[(&anna.username, &anna.secret)], port).await,
        )
        .await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn unknown_phone_is_refused_like_a_wrong_secret() -> Result<()> {
    stage::with_centre(async |centre| {
        let sipp = phones::scenario(centre, "register_refused")?
            .to(centre.sip())
            .calls(1);
        sipp.accounts([("demo-999", "whatever")])?
            .start()?
            .succeeds(SOON)
            .await
    })
    .await
}

const INVITE: &str = "INVITE sip:+12025550100@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:PORT;branch=z9hG4bKBRANCH\r\n\
From: \"Eve\" <sip:+15550009999@127.0.0.1>;tag=eve\r\nTo: <sip:+12025550100@127.0.0.1>\r\nCall-ID: CALL\r\nCSeq: 1 INVITE\r\n\
Contact: <sip:eve@127.0.0.1:PORT>\r\nMax-Forwards: 70\r\nContent-Type: application/sdp\r\nContent-Length: 145\r\n\r\n\
v=0\r\no=eve 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 8 101\r\n\
a=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\n";
const REGISTER: &str = "REGISTER sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:PORT;branch=z9hG4bKBRANCH\r\n\
From: <sip:demo-201@127.0.0.1>;tag=eve\r\nTo: <sip:demo-201@127.0.0.1>\r\nCall-ID: CALL\r\nCSeq: 1 REGISTER\r\n\
Contact: <sip:demo-201@127.0.0.1:PORT>;expires=60\r\nAuthorization: Digest username=\"demo-201\", realm=\"centro\", \
nonce=\"0123\", uri=\"sip:127.0.0.1\", response=\"00000000000000000000000000000000\", algorithm=MD5, cnonce=\"1\", nc=00000001, qop=auth\r\n\
Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n";
const OTHERS: [&str; 4] = ["ACK", "BYE", "CANCEL", "SUBSCRIBE"];
const NASTY: [&str; 10] = [
    "",
    "\0",
    "\r\n",
    "\r\n\r\n",
    ";;;;",
    "99999999999999999999",
    "-1",
    "\u{fffd}%00%n%s",
    "<<<>>>\"",
    "sip:@:99999;;=?",
];
const DATAGRAMS: usize = 3000;
const SEED: u64 = 20_261_123;

/// A valid message with one to four wounds, the same ones for the same seed.
fn wounded(random: &mut StdRng, port: u16, number: usize) -> Vec<u8> {
    let text = match random.random_range(0..6) {
        0 | 1 => INVITE.to_owned(),
        2 | 3 => REGISTER.to_owned(),
        _ => INVITE.replace("INVITE", OTHERS[random.random_range(0..OTHERS.len())]),
    };
    let text = text
        .replace("PORT", &port.to_string())
        .replace("BRANCH", &number.to_string());
    let mut bytes = text.replace("CALL", &format!("fuzz-{number}")).into_bytes();
    for _ in 0..random.random_range(1..=4) {
        if bytes.is_empty() {
            break;
        }
        let at = random.random_range(0..bytes.len());
        let end = (at + random.random_range(1..40)).min(bytes.len());
        match random.random_range(0..6) {
            0 => bytes[at] = random.random(),
            1 => drop(bytes.drain(at..end)),
            2 => bytes.truncate(at),
            3 => drop(bytes.splice(at..end, NASTY[random.random_range(0..NASTY.len())].bytes())),
            4 => {
                let piece = bytes[at..end].repeat(random.random_range(2..60));
                drop(bytes.splice(at..at, piece));
            }
            _ => drop(bytes.splice(
                at..at,
                std::iter::repeat_n(b'A', random.random_range(1..2000)),
            )),
        }
    }
    bytes.truncate(8000);
    bytes
}

/// How long the centre takes to answer OPTIONS.
async fn options(centre: &Centre) -> Result<Duration> {
    let socket = UdpSocket::bind("127.0.0.1:0").await?;
    let port = socket.local_addr()?.port();
    let message = format!(
        "OPTIONS sip:{0} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bKo{port}\r\nFrom: <sip:test@127.0.0.1>;tag=t\r\n\
         To: <sip:{0}>\r\nCall-ID: options-{port}\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
        centre.sip()
    );
    let start = Instant::now();
    let mut answer = [0; 4000];
    for _ in 0..5 {
        socket.send_to(message.as_bytes(), centre.sip()).await?;
        if let Ok(size) = timeout(Duration::from_secs(1), socket.recv(&mut answer)).await {
            let answer = String::from_utf8_lossy(&answer[..size?]).into_owned();
            ensure!(
                answer.starts_with("SIP/2.0 200"),
                "OPTIONS was answered: {answer}"
            );
            return Ok(start.elapsed());
        }
    }
    anyhow::bail!("OPTIONS was not answered in 5 s")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn fuzzed_messages() -> Result<()> {
    // The generator signs in wrongly all the time; that is another test's subject.
    stage::with(
        Centre::builder()
            .set("telephony.failures_per_source=1000000")
            .set("telephony.silence=8s"),
        async |centre| {
            options(centre).await.context("before")?;
            let socket = UdpSocket::bind("127.0.0.1:0").await?;
            let port = socket.local_addr()?.port();
            let mut random = StdRng::seed_from_u64(SEED);
            for number in 0..DATAGRAMS {
                socket
                    .send_to(&wounded(&mut random, port, number), centre.sip())
                    .await?;
                if number % 50 == 49 {
                    options(centre)
                        .await
                        .with_context(|| format!("after {number} datagrams of seed {SEED}"))?;
                }
            }
            centre.assert_no_panic()?;
            // What of it were real calls is over when the sender is gone: nobody acknowledges and no sound comes.
            let (davide, supervisor) = (
                centre.credentials().agents[3].clone(),
                centre.supervisor().await?,
            );
            let mut phone = phones::agent(centre, &davide, "agent_answer").await?;
            floor::ready(&supervisor, &davide.user_id).await?;
            let mut caller = phones::caller(centre, "+12025550101").await?;
            caller.answered().await?;
            caller.ear.hears(AGENT_HZ, SOON).await?;
            phone.ear.hears(CALLER_HZ, SOON).await?;
            caller.hang_up().await?;
            phone.is_over(SOON).await?;
            let malformed =
                metrics::figure(centre, "centro_sip_malformed_total{transport=\"udp\"}").await?;
            ensure!(
                malformed >= 100.0,
                "{malformed} of {DATAGRAMS} were malformed"
            );
            let sales = &centre.credentials().queues[0].id;
            floor::waiting(&supervisor, sales, 0).await?;
            metrics::nothing_is_left(centre, Duration::from_secs(100)).await
        },
    )
    .await
}

/// How many connections are opened with a wounded message.
const CONNECTIONS: usize = 300;

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn fuzzed_messages_over_tcp() -> Result<()> {
    let builder = Centre::builder()
        .set("telephony.failures_per_source=1000000")
        .set("telephony.silence=3s");
    stage::with(builder, async |centre| {
        let mut random = StdRng::seed_from_u64(SEED + 1);
        let huge = INVITE.replace(
            "Content-Length: 145",
            "Content-Length: 18446744073709551615",
        );
        for number in 0..CONNECTIONS {
            let mut stream = TcpStream::connect(centre.sip()).await?;
            let port = stream.local_addr()?.port();
            let bytes = match number % 10 {
                0 => huge.clone().into_bytes(),
                _ => wounded(&mut random, port, number),
            };
            let text = String::from_utf8_lossy(&bytes).replace("SIP/2.0/UDP", "SIP/2.0/TCP");
            // The centre may close it before all of it was written.
            let _ = stream.write_all(text.as_bytes()).await;
            if number % 50 == 49 {
                options(centre)
                    .await
                    .with_context(|| format!("after {number} connections of seed {SEED}"))?;
            }
        }
        centre.assert_no_panic()?;
        let malformed =
            metrics::figure(centre, "centro_sip_malformed_total{transport=\"tcp\"}").await?;
        ensure!(
            malformed >= 30.0,
            "{malformed} of {CONNECTIONS} were malformed"
        );
        metrics::nothing_is_left(centre, Duration::from_secs(100)).await
    })
    .await
}
