//! What strangers send: floods, broken messages, forged answers, connections that say nothing.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod rig;

use centro_proto::events::{CallRefused, SourceBanned};
use centro_telephony::core::digest::Algorithm;
use rig::{Peer, SECRET, authorization, counted, header, sdp, start, until};
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    time::{Instant, timeout},
};

const FLOOD: Duration = Duration::from_secs(3);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_invites_does_not_keep_a_phone_from_registering() {
    let rig = start(|s| s.messages_per_source = 50, |_| {}).await;
    let stop = Arc::new(AtomicBool::new(false));
    let (sent, answered) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let mut attacker = Peer::at("127.0.0.2", rig.doors.sip).await;
    let text = attacker.request("INVITE", "sip:300@centro", "CALL", "", &sdp(40_000, 8));
    let (flag, count, heard) = (stop.clone(), sent.clone(), answered.clone());
    let flood = std::thread::spawn(move || {
        let socket = attacker.socket.into_std().unwrap();
        let mut buffer = [0; 2_048];
        while !flag.load(Relaxed) {
            for _ in 0..30 {
                let number = count.fetch_add(1, Relaxed);
                let text = text.replace("CALL", &format!("flood{number}"));
                let _ = socket.send_to(text.as_bytes(), attacker.server);
            }
            while socket.recv(&mut buffer).is_ok() {
                heard.fetch_add(1, Relaxed);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    });
    // The phone is elsewhere and as unknown, until it has registered. What the system's own buffer drops it says again.
    let phone = Peer::at("127.0.0.3", rig.doors.sip).await;
    let (began, mut registered, mut repeated) = (Instant::now(), 0, 0);
    let mut phone = phone;
    while began.elapsed() < FLOOD {
        let (mut header, mut done) = (String::new(), false);
        while !done {
            let text = phone.request(
                "REGISTER",
                "sip:centro",
                "reg",
                &format!("Expires: 300\r\n{header}"),
                "",
            );
            phone.send(&text).await;
            match timeout(Duration::from_millis(500), phone.expect("SIP/2.0")).await {
                Ok(answer) if answer.starts_with("SIP/2.0 401") => {
                    let sha = Algorithm::Sha256;
                    header = authorization(&answer, "REGISTER", "sip:centro", SECRET, sha, 1);
                }
                Ok(answer) => {
                    assert!(answer.starts_with("SIP/2.0 200"), "{answer}");
                    done = true;
                }
                Err(_) => repeated += 1,
            }
        }
        registered += 1;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    stop.store(true, Relaxed);
    flood.join().unwrap();
    let (sent, answered) = (sent.load(Relaxed), answered.load(Relaxed));
    assert!(sent > 1_000, "{sent} INVITEs are no flood");
    // Four seconds' worth at once and fifty per second after that.
    assert!(
        answered <= 50 * (4 + 2 * FLOOD.as_secs() as usize),
        "{answered} of {sent} were answered"
    );
    // How often it has to repeat itself is the system's buffers' affair.
    assert!(registered >= 1, "{registered} times, {repeated} repeated");
    assert!(counted("centro_sip_refused_total", "flood") > 0);
    assert_eq!(rig.doors.calls.count(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_strangers_invite_gets_the_same_challenge_again_and_may_be_signed() {
    let rig = start(|_| {}, |_| {}).await;
    let mut phone = Peer::at("127.0.0.2", rig.doors.sip).await;
    let uri = "sip:300@centro";
    let text = phone.request("INVITE", uri, "one", "", &sdp(40_000, 8));
    let mut tags = Vec::new();
    for _ in 0..2 {
        phone.send(&text).await;
        let answer = phone.expect("SIP/2.0 401").await;
        tags.push(header(&answer, "To").unwrap());
    }
    assert!(tags[0].contains(";tag=") && tags[0] == tags[1], "{tags:?}");
    phone.send(&text).await;
    let challenge = phone.expect("SIP/2.0 401").await;
    let signed = authorization(&challenge, "INVITE", uri, SECRET, Algorithm::Sha256, 1);
    let text = phone.request("INVITE", uri, "one", &signed, &sdp(40_000, 8));
    phone.send(&text).await;
    phone.expect("SIP/2.0 200").await;
    assert_eq!(rig.doors.calls.count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_read_is_counted() {
    let rig = start(|_| {}, |_| {}).await;
    let mut peer = Peer::new(rig.doors.sip).await;
    let good = peer.request("OPTIONS", "sip:centro", "good", "", "");
    let before = counted("centro_sip_malformed_total", "udp");
    let garbage = [
        "INVITE".to_owned(),
        "\0".repeat(300),
        good.replace("Via:", "Vai:"),
        good.replace("CSeq: 1 OPTIONS", "CSeq: 1 INVITE"),
        "x".repeat(9_000),
    ];
    for text in &garbage {
        peer.send(text).await;
    }
    until("garbage over UDP is counted", || {
        counted("centro_sip_malformed_total", "udp") >= before + garbage.len() as u64
    })
    .await;
    let before = counted("centro_sip_malformed_total", "tcp");
    for (number, text) in [
        "INVITE sip:a SIP/2.0\r\n\r\n".to_owned(),
        good.replace("Content-Length: 0", "Content-Length: 18446744073709551615"),
        good.replace("Content-Length: 0", "Content-Length: -1"),
    ]
    .into_iter()
    .enumerate()
    {
        let mut stream = TcpStream::connect(rig.doors.sip).await.unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        let closed = timeout(Duration::from_secs(5), stream.read(&mut [0; 10])).await;
        assert!(matches!(closed, Ok(Ok(0) | Err(_))), "{number}: {closed:?}");
    }
    assert!(counted("centro_sip_malformed_total", "tcp") >= before + 3);
    let before = counted("centro_sdp_refused_total", "no_codec");
    let offer = sdp(40_000, 8).replace("RTP/AVP 8 101", "RTP/AVP 96 101");
    let offer = offer.replace("rtpmap:8 PCMA", "rtpmap:96 opus");
    let text = peer.request("INVITE", "sip:390612345678@centro", "opus", "", &offer);
    peer.send(&text).await;
    peer.expect("SIP/2.0 488").await;
    assert!(counted("centro_sdp_refused_total", "no_codec") > before);
    assert!(counted("centro_sip_refused_total", "no_codec") > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_required_extension_we_do_not_have_is_refused() {
    let rig = start(|_| {}, |_| {}).await;
    let mut peer = Peer::new(rig.doors.sip).await;
    let text = peer.request(
        "INVITE",
        "sip:390612345678@centro",
        "ext",
        "Require: 100rel, nothingSupportsThis\r\n",
        &sdp(40_000, 8),
    );
    peer.send(&text).await;
    let answer = peer.expect("SIP/2.0 4").await;
    assert!(answer.starts_with("SIP/2.0 420"), "{answer}");
    assert_eq!(
        header(&answer, "Unsupported").unwrap(),
        "nothingSupportsThis"
    );
    assert_eq!(rig.doors.calls.count(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_to_challenges_of_others_ban_nobody() {
    let rig = start(|s| s.failures_per_source = 3, |_| {}).await;
    let mut events = rig.events("-.telephony.source.*").await;
    let mut other = Peer::at("127.0.0.2", rig.doors.sip).await;
    let foreign = other.register("").await;
    let mut office = Peer::at("127.0.0.4", rig.doors.sip).await;
    for count in 1..=10 {
        let forged = authorization(
            &foreign,
            "REGISTER",
            "sip:centro",
            "wrong",
            Algorithm::Md5,
            count,
        );
        assert!(office.register(&forged).await.contains("stale=true"));
    }
    office.sign_in().await;
    // A right answer never counts, even when it comes too late or twice; a registered phone's wrong ones neither.
    let challenge = office.register("").await;
    let right = authorization(
        &challenge,
        "REGISTER",
        "sip:centro",
        SECRET,
        Algorithm::Md5,
        1,
    );
    let wrong = authorization(
        &challenge,
        "REGISTER",
        "sip:centro",
        "wrong",
        Algorithm::Md5,
        1,
    );
    for _ in 0..5 {
        office.register(&right).await;
        assert!(office.register(&wrong).await.starts_with("SIP/2.0 401"));
    }
    office.sign_in().await;
    // The same wrong answers from a stranger ban him, and what he sends then is no event.
    let mut refused = rig.events("#.telephony.call.refused").await;
    let challenge = other.register("").await;
    for count in 1..=3 {
        let wrong = authorization(
            &challenge,
            "REGISTER",
            "sip:centro",
            "wrong",
            Algorithm::Md5,
            count,
        );
        other.register(&wrong).await;
    }
    let first: SourceBanned = rig::next_event(&mut events).await.decode().unwrap();
    assert_eq!(first.source, "127.0.0.2");
    let text = other.request("INVITE", "sip:300@centro", "banned", "", &sdp(40_000, 8));
    other.send(&text).await;
    other.expect("SIP/2.0 403").await;
    let mut carrier = Peer::new(rig.doors.sip).await;
    let text = carrier.request(
        "INVITE",
        "sip:+390699999999@centro",
        "wrong",
        "",
        &sdp(40_000, 8),
    );
    let text = text.replace("demo-201", "+393331234567");
    carrier.send(&text).await;
    carrier.expect("SIP/2.0 404").await;
    let first: CallRefused = rig::next_event(&mut refused).await.decode().unwrap();
    assert_eq!(first.reason, "number_unknown");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_register_that_was_overtaken_changes_nothing() {
    let rig = start(|_| {}, |_| {}).await;
    let mut phone = Peer::new(rig.doors.sip).await;
    let challenge = phone.register("").await;
    let signed = |count| {
        authorization(
            &challenge,
            "REGISTER",
            "sip:centro",
            SECRET,
            Algorithm::Md5,
            count,
        )
    };
    // Written first, sent last: one leaves, another would come.
    let late = phone
        .request("REGISTER", "sip:centro", "reg", &signed(3), "")
        .replace(
            &format!("Contact: <sip:demo-201@{}>", phone.local),
            &format!(
                "Contact: <sip:demo-201@{}>;expires=0, <sip:demo-201@192.0.2.9>",
                phone.local
            ),
        );
    // Events go out behind the answer: whoever looks from now on sees this REGISTER's own.
    let mut events = rig.events("*.telephony.device.*").await;
    let answer = phone.register(&signed(1)).await;
    assert!(answer.starts_with("SIP/2.0 200"), "{answer}");
    let first = rig::next_event(&mut events).await.kind;
    assert_eq!(first, "telephony.device.registered");
    phone.send(&late).await;
    assert!(phone.expect("SIP/2.0").await.starts_with("SIP/2.0 400"));
    let bindings = rig.doors.registrar.phones(rig::DEVICE);
    assert_eq!(bindings.len(), 1, "{bindings:?}");
    let out = phone.request(
        "REGISTER",
        "sip:centro",
        "reg",
        &format!("Expires: 0\r\n{}", signed(4)),
        "",
    );
    phone.send(&out).await;
    assert!(phone.expect("SIP/2.0").await.starts_with("SIP/2.0 200"));
    let second = rig::next_event(&mut events).await.kind;
    assert_eq!(second, "telephony.device.unregistered");
}

async fn connect(ip: &str, to: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket
        .bind(SocketAddr::new(ip.parse().unwrap(), 0))
        .unwrap();
    socket.connect(to).await.unwrap()
}

async fn is_closed(stream: &mut TcpStream, within: Duration) -> bool {
    matches!(
        timeout(within, stream.read(&mut [0; 64])).await,
        Ok(Ok(0) | Err(_))
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_source_holds_so_many_connections_and_a_silent_one_is_closed() {
    let change = |s: &mut centro_telephony::Settings| {
        s.tcp_connections_per_source = 3;
        s.tcp_idle = Duration::from_secs(2);
    };
    let rig = start(change, |_| {}).await;
    let mut streams = Vec::new();
    for _ in 0..3 {
        streams.push(connect("127.0.0.2", rig.doors.sip).await);
    }
    let mut fourth = connect("127.0.0.2", rig.doors.sip).await;
    assert!(is_closed(&mut fourth, Duration::from_secs(1)).await);
    // Somebody else has connections of his own, and a carrier's may be silent.
    let mut other = connect("127.0.0.3", rig.doors.sip).await;
    let mut carrier = connect("127.0.0.1", rig.doors.sip).await;
    for stream in &mut streams {
        assert!(is_closed(stream, Duration::from_secs(5)).await);
    }
    assert!(is_closed(&mut other, Duration::from_secs(5)).await);
    assert!(!is_closed(&mut carrier, Duration::from_millis(100)).await);
    carrier.write_all(b"\r\n\r\n").await.unwrap();
    let mut pong = [0; 2];
    carrier.read_exact(&mut pong).await.unwrap();
    assert_eq!(&pong, b"\r\n");
    let mut fourth = connect("127.0.0.2", rig.doors.sip).await;
    assert!(!is_closed(&mut fourth, Duration::from_millis(100)).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_phone_registers_over_tcp_and_is_gone_with_its_connection() {
    let rig = start(|s| s.tcp_idle = Duration::from_secs(2), |_| {}).await;
    let mut stream = connect("127.0.0.2", rig.doors.sip).await;
    let mut peer = Peer::at("127.0.0.2", rig.doors.sip).await;
    let mut header = String::new();
    for status in ["SIP/2.0 401", "SIP/2.0 200"] {
        let text = peer.request("REGISTER", "sip:centro", "tcp", &header, "");
        let text = text.replace("SIP/2.0/UDP", "SIP/2.0/TCP");
        let (first, second) = text.split_at(100);
        stream.write_all(first.as_bytes()).await.unwrap();
        stream.flush().await.unwrap();
        tokio::task::yield_now().await;
        stream.write_all(second.as_bytes()).await.unwrap();
        let mut answer = vec![0; 4_096];
        let length = stream.read(&mut answer).await.unwrap();
        let answer = String::from_utf8_lossy(&answer[..length]).into_owned();
        assert!(answer.starts_with(status), "{answer}");
        if status.ends_with("401") {
            header = authorization(&answer, "REGISTER", "sip:centro", SECRET, Algorithm::Md5, 1);
        }
    }
    // A registered phone may be silent for longer than a stranger.
    assert!(!is_closed(&mut stream, Duration::from_secs(3)).await);
    assert_eq!(rig.doors.registrar.phones(rig::DEVICE).len(), 1);
    drop(stream);
    until("the phone is gone with its connection", || {
        rig.doors.registrar.phones(rig::DEVICE).is_empty()
    })
    .await;
}

/// Signs in over a connection.
async fn sign_in(stream: &mut TcpStream, peer: &mut Peer) {
    let mut header = String::new();
    for (status, count) in [("SIP/2.0 401", 1), ("SIP/2.0 200", 2)] {
        let answer = ask(stream, peer, "REGISTER", &header).await;
        assert!(answer.starts_with(status), "{answer}");
        if count == 1 {
            header = authorization(&answer, "REGISTER", "sip:centro", SECRET, Algorithm::Md5, 1);
        }
    }
}

/// Sends a request over a connection and reads the answer.
async fn ask(stream: &mut TcpStream, peer: &mut Peer, method: &str, header: &str) -> String {
    let text = peer.request(method, "sip:centro", "tcp", header, "");
    let text = text.replace("SIP/2.0/UDP", "SIP/2.0/TCP");
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = vec![0; 4_096];
    let read = timeout(Duration::from_secs(5), stream.read(&mut answer)).await;
    let length = read.expect("an answer in time").unwrap();
    String::from_utf8_lossy(&answer[..length]).into_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_phones_message_may_come_in_two_pieces_after_a_long_silence() {
    let idle = Duration::from_secs(1);
    let rig = start(|s| s.tcp_idle = idle, |_| {}).await;
    let mut stream = connect("127.0.0.2", rig.doors.sip).await;
    let mut peer = Peer::at("127.0.0.2", rig.doors.sip).await;
    sign_in(&mut stream, &mut peer).await;
    assert!(!is_closed(&mut stream, idle * 2).await);
    let text = peer.request("OPTIONS", "sip:centro", "pieces", "", "");
    let text = text.replace("SIP/2.0/UDP", "SIP/2.0/TCP");
    let (first, second) = text.split_at(100);
    stream.write_all(first.as_bytes()).await.unwrap();
    assert!(!is_closed(&mut stream, idle / 4).await);
    stream.write_all(second.as_bytes()).await.unwrap();
    let mut answer = [0; 4_096];
    let length = timeout(Duration::from_secs(5), stream.read(&mut answer)).await;
    let length = length.expect("an answer in time").unwrap();
    assert!(answer[..length].starts_with(b"SIP/2.0 200"));
    // The end of a message that never comes is not waited for, registered or not.
    stream.write_all(first.as_bytes()).await.unwrap();
    assert!(is_closed(&mut stream, idle * 4).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_does_not_read_holds_nobody_up() {
    let rig = start(|_| {}, |_| {}).await;
    // At the carrier's address, so that much is taken of it. Each CANCEL belongs to nothing and is answered.
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let mut deaf = socket.connect(rig.doors.sip).await.unwrap();
    let mut writer = Peer::new(rig.doors.sip).await;
    let text = writer.request(
        "CANCEL",
        "sip:centro",
        "CALL",
        &format!("X: {}\r\n", "x".repeat(10)),
        "",
    );
    let text = text.replace("SIP/2.0/UDP", "SIP/2.0/TCP");
    let flood = tokio::spawn(async move {
        for number in 0..30_000 {
            let text = text.replace("CALL", &format!("{}{number}", "c".repeat(400)));
            if deaf.write_all(text.as_bytes()).await.is_err() {
                return deaf; // closed by the centre
            }
        }
        deaf
    });
    let mut phone = Peer::at("127.0.0.3", rig.doors.sip).await;
    let mut asked = 0;
    while !flood.is_finished() && asked < 2_000 {
        let text = phone.request("OPTIONS", "sip:centro", "alive", "", "");
        phone.send(&text).await;
        phone.expect("SIP/2.0 200").await;
        asked += 1;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let deaf = timeout(Duration::from_secs(30), flood).await;
    drop(deaf.expect("the peer is closed").unwrap());
    phone.sign_in().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_signed_lately_is_no_stranger() {
    let change = |s: &mut centro_telephony::Settings| {
        s.messages_per_source = 2;
        s.tcp_connections_per_source = 1;
        s.tcp_connections_per_known_source = 3;
        s.tcp_idle = Duration::from_secs(1);
    };
    let rig = start(change, |_| {}).await;
    // It signs its call, and never registers.
    let mut carrier = Peer::at("127.0.0.2", rig.doors.sip).await;
    let uri = "sip:999@centro";
    let text = carrier.request("INVITE", uri, "one", "", &sdp(40_000, 8));
    carrier.send(&text).await;
    let challenge = carrier.expect("SIP/2.0 401").await;
    let signed = authorization(&challenge, "INVITE", uri, SECRET, Algorithm::Sha256, 1);
    let text = carrier.request("INVITE", uri, "one", &signed, &sdp(40_000, 8));
    carrier.send(&text).await;
    carrier.expect("SIP/2.0 404").await;
    for number in 0..40 {
        let text = carrier.request("OPTIONS", "sip:centro", &format!("o{number}"), "", "");
        carrier.send(&text).await;
        carrier.expect("SIP/2.0 200").await;
    }
    let mut streams = Vec::new();
    for _ in 0..3 {
        streams.push(connect("127.0.0.2", rig.doors.sip).await);
    }
    let mut fourth = connect("127.0.0.2", rig.doors.sip).await;
    assert!(is_closed(&mut fourth, Duration::from_secs(1)).await);
    assert!(!is_closed(&mut streams[0], Duration::from_secs(3)).await);
    // A stranger has less of everything.
    let _only = connect("127.0.0.3", rig.doors.sip).await;
    let mut second = connect("127.0.0.3", rig.doors.sip).await;
    assert!(is_closed(&mut second, Duration::from_secs(1)).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ban_of_its_address_does_not_hit_a_carriers_calls() {
    let rig = start(|s| s.failures_per_source = 3, |_| {}).await;
    let mut events = rig.events("-.telephony.source.*").await;
    let mut guesser = Peer::new(rig.doors.sip).await;
    let challenge = guesser.register("").await;
    for count in 1..=3 {
        let wrong = authorization(
            &challenge,
            "REGISTER",
            "sip:centro",
            "wrong",
            Algorithm::Md5,
            count,
        );
        guesser.register(&wrong).await;
    }
    rig::next_event(&mut events).await;
    assert!(guesser.register("").await.starts_with("SIP/2.0 403"));
    let mut carrier = Peer::new(rig.doors.sip).await;
    let (uri, mut signed) = (
        "sip:999@centro",
        String::from("Authorization: Digest x=\"\"\r\n"),
    );
    for status in ["SIP/2.0 401", "SIP/2.0 404"] {
        let text = carrier.request("INVITE", uri, "signed", &signed, &sdp(40_000, 8));
        carrier.send(&text).await;
        let answer = carrier.expect("SIP/2.0 4").await;
        assert!(answer.starts_with(status), "{answer}");
        if status.ends_with("401") {
            signed = authorization(&answer, "INVITE", uri, SECRET, Algorithm::Sha256, 1);
        }
    }
    assert!(
        !is_closed(
            &mut connect("127.0.0.1", rig.doors.sip).await,
            Duration::from_millis(200)
        )
        .await
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_pulse_has_a_place_though_all_are_taken() {
    let change = |s: &mut centro_telephony::Settings| {
        s.tcp_connections_per_source = 2;
        s.tcp_connections_per_known_source = 2;
        s.tcp_connections = 2;
    };
    let rig = start(change, |_| {}).await;
    let _all = [
        connect("127.0.0.2", rig.doors.sip).await,
        connect("127.0.0.2", rig.doors.sip).await,
    ];
    let mut more = connect("127.0.0.3", rig.doors.sip).await;
    assert!(is_closed(&mut more, Duration::from_secs(1)).await);
    let pulse = || {
        centro_telephony::ua::pulse::look(rig.doors.sip, rig.doors.gate.pass(), |from| {
            rig.doors.gate.expect_own(from);
        })
    };
    pulse().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_pulse_is_felt_whoever_else_is_answered() {
    let rig = start(|s| s.answer_options = false, |_| {}).await;
    let sip = |rig: &rig::Rig| {
        let report = rig.node.ready();
        report
            .checks
            .into_iter()
            .find(|c| c.name == "telephony.sip")
    };
    until("SIP answers itself", || {
        sip(&rig).is_some_and(|check| check.ok)
    })
    .await;
    // Others are not answered; and where nobody answers the pulse is not felt.
    let nobody = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let silent = nobody.local_addr().unwrap();
    assert!(
        centro_telephony::ua::pulse::look(silent, "pulse", |_| ())
            .await
            .is_err()
    );
}
