//! The consumers of docs/integrators handle each event once: over repeats, early ones, an outage and their own death.

use super::support::{LIMIT, PASSWORD, connect, event, integration, publish};
use centro_bus::{Event, RabbitBus};
use centro_kernel::TenantId;
use centro_testkit::engines::{Engine, RabbitMq};
use std::{
    path::{Path, PathBuf},
    process::Stdio,
};
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
    time::timeout,
};

/// A consumer under way.
struct Consumer {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Consumer {
    fn start(program: &[PathBuf], url: &str, queue: &str, state: &Path) -> Self {
        let mut child = Command::new(&program[0])
            .args(&program[1..])
            .args([url, queue])
            .arg(state)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// The number of the next event that it handled.
    async fn handled(&mut self) -> u64 {
        let line = timeout(LIMIT, self.lines.next_line()).await;
        let line = line.expect("nothing was handled").unwrap().unwrap();
        let mut words = line.split(' ');
        let number = words.next().unwrap().parse().unwrap();
        assert_eq!(
            words.next(),
            Some("routing.contact.reprioritised"),
            "{line}"
        );
        number
    }

    async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }
}

async fn tell(bus: &RabbitBus, events: &[Event], numbers: &[u64]) {
    for number in numbers {
        publish(bus, &events[usize::try_from(*number).unwrap() - 1]).await;
    }
}

async fn reads_each_event_once(program: &[PathBuf]) {
    let mut broker = RabbitMq::start().await.unwrap();
    let bus = connect(&broker).await;
    let tenant = TenantId::generate();
    let crm = integration(&broker, &bus, tenant).await;
    let queue = crm.queue("centro.events.public");
    let url = broker.url_of(&crm.user(), PASSWORD);
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    let start = || Consumer::start(program, &url, &queue, &state);
    let events: Vec<_> = (1..=9).map(|number| event(tenant, number)).collect();

    let mut consumer = start();
    // As a gateway that dies and a broker that breaks tell them: some again, one early.
    tell(&bus, &events, &[1, 2, 2, 4, 1, 3, 4]).await;
    let mut handled = vec![];
    for _ in 0..4 {
        handled.push(consumer.handled().await);
    }
    assert_eq!(handled, [1, 2, 4, 3]);

    consumer.kill().await;
    tell(&bus, &events, &[4, 5, 6]).await;
    let mut consumer = start();
    // The last may be handled a second time, if it died before it wrote that down.
    let mut number = consumer.handled().await;
    if number == 3 {
        number = consumer.handled().await;
    }
    assert_eq!((number, consumer.handled().await), (5, 6));

    // RabbitMQ 3.10 writes down which Raft groups it has some seconds after it made one (decision 0018).
    broker
        .control(&["eval", "[ok = dets:sync(T) || T <- dets:all()]."])
        .unwrap();
    broker.kill().unwrap();
    broker.revive().await.unwrap();
    tell(&bus, &events, &[6, 7, 8, 9]).await;
    for number in 7..=9 {
        assert_eq!(consumer.handled().await, number);
    }
    consumer.kill().await;
    bus.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_consumer_in_python_reads_each_event_once() {
    let mut tried = ["/usr/bin/python3", "python3"].into_iter();
    let python = tried.find(|python| {
        let mut command = std::process::Command::new(python);
        let has_pika = command.args(["-c", "import pika"]).stderr(Stdio::null());
        has_pika.status().is_ok_and(|status| status.success())
    });
    let python = python.expect("install the Debian package python3-pika");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/integrators/consumer.py");
    reads_each_event_once(&[python.into(), script]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_consumer_in_rust_reads_each_event_once() {
    // Cargo builds examples before it runs tests, beside the folder that they are in.
    let mut program = std::env::current_exe().unwrap();
    program.pop();
    program.pop();
    let program = program.join("examples/consumer");
    assert!(program.is_file(), "{}", program.display());
    reads_each_event_once(&[program]).await;
}
