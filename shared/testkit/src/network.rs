//! A network of two ends that can be cut without either noticing: packets are dropped, connections stay open.
//!
//! The far end is a network namespace, joined to this machine by a pair of interfaces. To cut a direction the sending end
//! gets a queue that no packet fits into (tc-tbf(8) with a burst of 10 bytes). Making one needs to be root.

use anyhow::{Context, Result, ensure};
use std::{
    net::Ipv4Addr,
    path::Path,
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

static COUNTER: AtomicU32 = AtomicU32::new(0);

/// Which packets are dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Those to the far end: it is not answered.
    There,
    /// Those from the far end: it is not heard.
    Back,
    /// All.
    Both,
}

/// A network with this machine at the near end. It goes when it is dropped.
pub struct Network {
    name: String,
    subnet: [u8; 3],
    doors: std::sync::Mutex<JoinSet<()>>,
}

impl Network {
    /// Makes one.
    ///
    /// # Errors
    /// What `ip` says, e.g. that one has to be root.
    pub fn make() -> Result<Self> {
        let (id, n) = (std::process::id(), COUNTER.fetch_add(1, Ordering::Relaxed));
        let network = Self {
            name: format!("ct{id}-{n}"),
            subnet: [10, 64 + (id % 128) as u8, ((id / 128 + n) % 256) as u8],
            doors: std::sync::Mutex::default(),
        };
        let (name, near, far) = (&network.name, network.link("n"), network.link("f"));
        ip(&format!("netns add {name}"))?;
        ip(&format!(
            "link add {near} type veth peer name {far} netns {name}"
        ))?;
        ip(&format!("addr add {}/30 dev {near}", network.near()))?;
        ip(&format!("link set {near} up"))?;
        ip(&format!(
            "-n {name} addr add {}/30 dev {far}",
            network.far()
        ))?;
        ip(&format!("-n {name} link set {far} up"))?;
        ip(&format!("-n {name} link set lo up"))?;
        Ok(network)
    }

    fn link(&self, end: &str) -> String {
        format!("{}{end}", self.name)
    }

    /// This machine's address in it.
    pub fn near(&self) -> Ipv4Addr {
        let [a, b, c] = self.subnet;
        Ipv4Addr::new(a, b, c, 1)
    }

    /// The far end's address.
    pub fn far(&self) -> Ipv4Addr {
        let [a, b, c] = self.subnet;
        Ipv4Addr::new(a, b, c, 2)
    }

    /// The program, to be started at the far end.
    pub fn inside(&self, program: &Path) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name]).arg(program);
        command
    }

    /// Lets the far end reach what listens on a port of 127.0.0.1, under the same port of the near address.
    ///
    /// # Errors
    /// The port is taken.
    pub async fn show(&self, port: u16) -> Result<()> {
        let door = TcpListener::bind((self.near(), port)).await?;
        let mut doors = self.doors.lock().ok().context("a door panicked")?;
        doors.spawn(async move {
            let mut open = JoinSet::new();
            while let Ok((mut from, _)) = door.accept().await {
                open.spawn(async move {
                    if let Ok(mut to) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await {
                        let _ = from.set_nodelay(true);
                        let _ = to.set_nodelay(true);
                        let _ = tokio::io::copy_bidirectional(&mut from, &mut to).await;
                    }
                });
                while open.try_join_next().is_some() {}
            }
        });
        Ok(())
    }

    /// Drops all packets of a direction from now on.
    ///
    /// # Errors
    /// What `tc` says.
    pub fn cut(&self, direction: Direction) -> Result<()> {
        if direction != Direction::Back {
            done(
                tc().args(["qdisc", "add", "dev", &self.link("n")])
                    .args(NOTHING),
            )?;
        }
        if direction != Direction::There {
            let mut there = self.inside(Path::new("tc"));
            done(
                there
                    .args(["qdisc", "add", "dev", &self.link("f")])
                    .args(NOTHING),
            )?;
        }
        Ok(())
    }

    /// Lets everything through again.
    ///
    /// # Errors
    /// What `tc` says.
    pub fn heal(&self, direction: Direction) -> Result<()> {
        if direction != Direction::Back {
            done(tc().args(["qdisc", "del", "dev", &self.link("n"), "root"]))?;
        }
        if direction != Direction::There {
            let mut there = self.inside(Path::new("tc"));
            done(there.args(["qdisc", "del", "dev", &self.link("f"), "root"]))?;
        }
        Ok(())
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        // Its interfaces go with it.
        ip(&format!("netns del {}", self.name)).ok();
    }
}

/// A queue that no packet fits into.
const NOTHING: [&str; 8] = ["root", "tbf", "rate", "1kbit", "burst", "10", "limit", "1"];

fn tc() -> Command {
    Command::new("tc")
}

fn ip(arguments: &str) -> Result<()> {
    done(Command::new("ip").args(arguments.split(' ')))
}

fn done(command: &mut Command) -> Result<()> {
    let output = command
        .output()
        .with_context(|| command.get_program().display().to_string())?;
    ensure!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(())
}
