//! Password hashing: argon2id (OWASP: m=19456 KiB, t=2, p=1) on a bounded number of threads.
//!
//! One check costs some 35 ms of a core. Without a limit, the start of a shift would starve everything else.

use argon2::{
    Algorithm, Argon2, Params, PasswordHash, PasswordHasher, PasswordVerifier, Version,
    password_hash::SaltString,
};
use centro_kernel::{Code, Fault};
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Hashes and checks passwords, some at once, some waiting, the rest refused.
#[derive(Clone)]
pub struct Passwords {
    /// One permit per check that runs or waits.
    places: Arc<Semaphore>,
    /// One permit per check that runs.
    workers: Arc<Semaphore>,
    argon: Argon2<'static>,
    /// Checked when there is no such person, so that the answer takes as long.
    decoy: Arc<str>,
}

impl Passwords {
    /// `workers` checks at once, `queue` more may wait.
    ///
    /// # Errors
    /// When the library refuses the parameters.
    pub fn new(workers: usize, queue: usize) -> Result<Self, Fault> {
        let params = Params::new(19_456, 2, 1, None).map_err(Fault::internal)?;
        let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let decoy = hash_with(&argon, &hex::encode(rand::random::<[u8; 16]>()))?;
        Ok(Self {
            places: Arc::new(Semaphore::new(workers + queue)),
            workers: Arc::new(Semaphore::new(workers)),
            argon,
            decoy: decoy.into(),
        })
    }

    /// The hash of a new password, with a salt of its own.
    ///
    /// # Errors
    /// `busy_signing_in` when too many wait.
    pub async fn hash(&self, password: String) -> Result<String, Fault> {
        let argon = self.argon.clone();
        self.run(move || hash_with(&argon, &password)).await?
    }

    /// Whether the password belongs to the hash. Without a hash the answer is no, and takes as long.
    ///
    /// # Errors
    /// `busy_signing_in` when too many wait.
    pub async fn verify(&self, password: String, hash: Option<String>) -> Result<bool, Fault> {
        let argon = self.argon.clone();
        let decoy = self.decoy.clone();
        self.run(move || {
            let parsed =
                PasswordHash::new(hash.as_deref().unwrap_or(&decoy)).map_err(Fault::internal)?;
            Ok(argon.verify_password(password.as_bytes(), &parsed).is_ok() && hash.is_some())
        })
        .await?
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Fault> {
        let place = self
            .places
            .clone()
            .try_acquire_owned()
            .map_err(|_| busy())?;
        let worker = self
            .workers
            .clone()
            .acquire_owned()
            .await
            .map_err(Fault::internal)?;
        // The permits go with the work: a caller who hangs up does not free a core that is still busy.
        let permits: (OwnedSemaphorePermit, OwnedSemaphorePermit) = (place, worker);
        tokio::task::spawn_blocking(move || {
            let _permits = permits;
            work()
        })
        .await
        .map_err(Fault::internal)
    }
}

fn busy() -> Fault {
    Fault::new(
        Code::Busy,
        "busy_signing_in",
        "many people are signing in at this moment; try again in a few seconds",
    )
    .with("retry_after_seconds", 2)
}

fn hash_with(argon: &Argon2<'_>, password: &str) -> Result<String, Fault> {
    let salt = SaltString::encode_b64(&rand::random::<[u8; 16]>()).map_err(Fault::internal)?;
    let hash = argon
        .hash_password(password.as_bytes(), &salt)
        .map_err(Fault::internal)?;
    Ok(hash.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_fits_its_own_hash_only() {
        let passwords = Passwords::new(2, 8).unwrap();
        let hash = passwords.hash("correct horse".to_owned()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert_eq!(
            passwords
                .verify("correct horse".to_owned(), Some(hash.clone()))
                .await,
            Ok(true)
        );
        assert_eq!(
            passwords.verify("wrong horse".to_owned(), Some(hash)).await,
            Ok(false)
        );
        assert_eq!(
            passwords.verify("anything".to_owned(), None).await,
            Ok(false)
        );
    }

    #[tokio::test]
    async fn more_than_the_queue_holds_is_refused_at_once() {
        let passwords = Passwords::new(1, 1).unwrap();
        let mut checks = Vec::new();
        for _ in 0..2 {
            let passwords = passwords.clone();
            checks.push(tokio::spawn(async move {
                passwords.verify("x".to_owned(), None).await
            }));
        }
        while passwords.places.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        let refused = passwords.verify("x".to_owned(), None).await.unwrap_err();
        assert_eq!(
            (refused.code, refused.reason),
            (Code::Busy, "busy_signing_in")
        );
        for check in checks {
            assert_eq!(check.await.unwrap(), Ok(false));
        }
    }
}
