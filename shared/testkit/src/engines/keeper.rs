//! Programs that end with this process, whatever ends it.

use crate::Process;
use anyhow::{Context, Result};
use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::{OnceLock, mpsc},
};

type Order = (Command, PathBuf, mpsc::Sender<Result<Process>>);

/// The kernel kills a program of ours when the thread that started it ends (prctl(2), PR_SET_PDEATHSIG). Threads of tests
/// end with their test, so one thread that never ends starts them all.
fn keeper() -> &'static mpsc::Sender<Order> {
    static KEEPER: OnceLock<mpsc::Sender<Order>> = OnceLock::new();
    KEEPER.get_or_init(|| {
        let (orders, inbox) = mpsc::channel::<Order>();
        std::thread::spawn(move || {
            for (mut command, log, answer) in inbox {
                let _ = answer.send(Process::start(&mut command, &log));
            }
        });
        orders
    })
}

/// Starts a program that is killed when this process ends. `user` runs it when we are root and it refuses that.
pub fn start(
    program: &Path,
    user: Option<&str>,
    log: &Path,
    fill: impl FnOnce(&mut Command),
) -> Result<Process> {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL"]);
    if let Some(user) = user.filter(|_| is_root()) {
        command.args(["--reuid", user, "--regid", user, "--clear-groups"]);
    }
    command.arg(program);
    fill(&mut command);
    let (sender, answer) = mpsc::channel();
    keeper()
        .send((command, log.to_owned(), sender))
        .ok()
        .context("the thread that starts programs is gone")?;
    answer
        .recv()
        .context("no answer from the thread that starts programs")?
}

/// Whether this process may do everything.
pub fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|output| output.stdout.starts_with(b"0\n"))
}
