//! Database errors as failures at a service's boundary.

use centro_kernel::{Code, Fault};
use sea_orm::{DbErr, RuntimeErr, sqlx};

/// A database error as a failure at the service's boundary: `storage_unavailable` where trying again later may help, `internal`
/// where we are at fault. Violated constraints that mean something to callers (a name that is taken) are looked at before, with
/// `DbErr::sql_err`.
pub fn fault(error: DbErr) -> Fault {
    if !is_away(&error) {
        return Fault::internal(error);
    }
    Fault {
        context: error.to_string(),
        ..Fault::new(
            Code::Unavailable,
            "storage_unavailable",
            "the database cannot be reached; try again later",
        )
    }
}

fn is_away(error: &DbErr) -> bool {
    match error {
        DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => true,
        DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error)) => {
            is_outage(error)
        }
        _ => false,
    }
}

fn is_outage(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| passes(&code)),
        _ => false,
    }
}

/// Whether what this code says passes by itself. PostgreSQL's codes have five characters, SQLite's are numbers.
fn passes(code: &str) -> bool {
    if let (true, Ok(number)) = (code.len() < 5, code.parse::<u32>()) {
        // The lower byte says what it is: busy, locked, the disk failed, the disk is full.
        return matches!(number & 0xff, 5 | 6 | 10 | 13);
    }
    // Connection lost; out of connections, memory, disk; shutting down or starting.
    ["08", "53", "57P0"].iter().any(|class| code.starts_with(class))
        // Took too long; a lock was not to be had; two waited for each other; idle for too long; a standby, which cannot write.
        || ["57014", "55P03", "40001", "40P01", "25P03", "25006"].contains(&code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_by_itself_is_told_from_what_is_our_fault() {
        for code in [
            "08006", "53300", "57P01", "57P03", "57014", "40P01", "5", "517",
        ] {
            assert!(passes(code), "{code}");
        }
        // A unique index, a missing table, a wrong statement; a constraint of SQLite.
        for code in ["23505", "42P01", "42601", "1555", "1"] {
            assert!(!passes(code), "{code}");
        }
    }

    #[test]
    fn the_cause_is_for_the_log_only() {
        let error = DbErr::Conn(RuntimeErr::Internal("password of anna is wrong".to_owned()));
        let fault = fault(error);
        assert_eq!(fault.reason, "storage_unavailable");
        assert!(!fault.message.contains("anna") && fault.context.contains("anna"));
    }
}
