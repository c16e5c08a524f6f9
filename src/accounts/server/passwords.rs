//! Hashing of passwords: Argon2id with a pepper, off the async threads, so many at once as the machine has cores for and no more
//! than a short queue behind them (R10–R12). Every check of a password costs one run, whether there is a hash to compare with or
//! not (R16).
//!
//! The pepper is derived from the master key; its id stands in the PHC string (`keyid`). A hash under the pepper of an older key is
//! compared with that one, and made anew at the next sign-in.
//!
//! A hash that another system made (`importing`) has no pepper. It is tried beside a run of ours, and made anew at the next sign-in. What
//! such a try costs depends on its kind; so while there are any, signing in tries one hash of each kind, the account's own or one of nobody.

use crate::{
    error::AppError,
    platform::{
        Ctx,
        config::Auth,
        crypto::{MasterKeyId, Rng, Vault},
        salted_hash,
    },
    values::NotNow,
};
use argon2::{
    Algorithm, Argon2, KeyId, Params, ParamsBuilder, PasswordHash, PasswordHasher, PasswordVerifier, Version,
    password_hash::phc::{Output, ParamsString, Salt},
};
use secrecy::{ExposeSecret, SecretBox, SecretString};
use std::sync::{
    Arc,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use unicode_normalization::UnicodeNormalization;

/// How many wait for each one that runs; at 150 ms each, the last waits about as long as a person does.
const QUEUE_PER_PERMIT: usize = 16;

/// The hasher; start-up hangs it on the context with `Ctx::with`.
pub struct Passwords {
    params: Params,
    /// The current one first.
    peppers: Vec<Pepper>,
    /// A hash that no password has, under the present parameters.
    dummy: String,
    permits: Arc<Semaphore>,
    waiting: AtomicUsize,
    queue: usize,
    runs: AtomicU64,
}

/// What is mixed into every hash, and how the hash names it.
struct Pepper {
    id: [u8; 6],
    key: SecretBox<[u8; 32]>,
}

/// How a password compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Wrong,
    Right,
    /// Right, and the hash wants to be renewed (R11).
    RightButOld,
}

impl Passwords {
    pub fn new(config: &Auth, vault: &Vault, rng: &Rng) -> Result<Self, argon2::Error> {
        let peppers: Vec<Pepper> = peppers(vault).collect();
        let key_id = KeyId::new(peppers.first().map_or(&[][..], |pepper| &pepper.id[..]))?;
        let params = ParamsBuilder::new().m_cost(config.argon2_memory_kib).t_cost(config.argon2_passes).p_cost(1).keyid(key_id).build()?;
        let permits = config.argon2_parallel.max(1);
        Ok(Self {
            dummy: dummy(&params, rng).unwrap_or_default(),
            params,
            peppers,
            permits: Arc::new(Semaphore::new(permits)),
            waiting: AtomicUsize::new(0),
            queue: permits * QUEUE_PER_PERMIT,
            runs: AtomicU64::new(0),
        })
    }

    /// The hasher of this process.
    pub fn of(ctx: &Ctx) -> Result<Arc<Self>, AppError> {
        ctx.part::<Self>().ok_or_else(|| AppError::internal("start-up did not add Passwords to the context"))
    }

    /// How often Argon2 ran since the start.
    pub fn runs(&self) -> u64 {
        self.runs.load(Ordering::Relaxed)
    }

    /// The PHC string of a password.
    pub async fn hash(self: &Arc<Self>, rng: &Rng, password: &SecretString) -> Result<String, AppError> {
        let salt: [u8; 16] = rng.bytes();
        self.run(password, 0, move |argon, password| argon.hash_password_with_salt(password, &salt).map(|phc| phc.to_string()))
            .await?
            .map_err(AppError::internal)
    }

    /// Compares with a stored hash, or with none at the same cost.
    pub async fn verify(self: &Arc<Self>, stored: Option<&str>, password: &SecretString) -> Result<Verdict, AppError> {
        self.verify_alike(stored, password, &[]).await
    }

    /// The same at the same cost for every account, while some have hashes of these kinds that other systems made.
    pub async fn verify_alike(self: &Arc<Self>, stored: Option<&str>, password: &SecretString, kinds: &[String]) -> Result<Verdict, AppError> {
        let imported = stored.filter(|phc| is_imported(phc)).map(ToOwned::to_owned);
        let own = if imported.is_some() { None } else { stored };
        let phc = own.unwrap_or(&self.dummy).to_owned();
        let pepper = self.pepper_of(&phc);
        let nobody: Vec<String> = {
            let done = imported.as_deref().map(salted_hash::kind);
            kinds.iter().filter(|kind| Some(*kind) != done.as_ref()).map(|kind| salted_hash::of_nobody(kind)).collect()
        };
        // Other systems hash what is typed as it comes.
        let typed = password.clone();
        let (is_own, is_imported) = self
            .run(password, pepper, move |argon, password| {
                let is_own = PasswordHash::new(&phc).is_ok_and(|phc| argon.verify_password(password, &phc).is_ok());
                let is_imported = imported.is_some_and(|phc| salted_hash::matches_alike(&phc, typed.expose_secret()));
                for phc in nobody {
                    let _ = std::hint::black_box(salted_hash::matches_alike(&phc, typed.expose_secret()));
                }
                (is_own, is_imported)
            })
            .await?;
        Ok(match own {
            _ if is_imported => Verdict::RightButOld,
            Some(phc) if is_own && self.is_old(phc) => Verdict::RightButOld,
            Some(_) if is_own => Verdict::Right,
            _ => Verdict::Wrong,
        })
    }

    /// Which pepper is in a hash. One that is not here is as wrong as any other, so the current one.
    fn pepper_of(&self, phc: &str) -> usize {
        let params = PasswordHash::new(phc).ok().and_then(|phc| Params::try_from(&phc).ok());
        params.and_then(|params| self.peppers.iter().position(|pepper| pepper.id[..] == *params.keyid())).unwrap_or(0)
    }

    fn is_old(&self, phc: &str) -> bool {
        let same = |phc: PasswordHash| {
            let params = Params::try_from(&phc).ok()?;
            let is_same = phc.algorithm.as_str() == Algorithm::Argon2id.as_str()
                && (params.m_cost(), params.t_cost(), params.p_cost()) == (self.params.m_cost(), self.params.t_cost(), self.params.p_cost())
                && params.keyid() == self.params.keyid();
            Some(is_same)
        };
        PasswordHash::new(phc).ok().and_then(same) != Some(true)
    }

    /// One run on a blocking thread, after waiting for a permit. The permit is the thread's: it goes on when nobody waits for it any more,
    /// and whoever sends and hangs up starts no more runs than whoever waits.
    async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        password: &SecretString,
        pepper: usize,
        work: impl FnOnce(&Argon2<'_>, &[u8]) -> T + Send + 'static,
    ) -> Result<T, AppError> {
        let permit = self.permit().await?;
        self.runs.fetch_add(1, Ordering::Relaxed);
        let this = Arc::clone(self);
        let password = SecretString::from(password.expose_secret().nfkc().collect::<String>());
        let done = tokio::task::spawn_blocking(move || {
            let _until_it_is_hashed = permit;
            let pepper = this.peppers.get(pepper).map_or(&[][..], |pepper| &pepper.key.expose_secret()[..]);
            let argon = Argon2::new_with_secret(pepper, Algorithm::Argon2id, Version::V0x13, this.params.clone());
            argon.map(|argon| work(&argon, password.expose_secret().as_bytes()))
        });
        done.await.map_err(AppError::internal)?.map_err(AppError::internal)
    }

    /// A place among those that run; refused when too many wait already (R12).
    async fn permit(&self) -> Result<OwnedSemaphorePermit, AppError> {
        if let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() {
            return Ok(permit);
        }
        let _place = Place::take(&self.waiting, self.queue).ok_or(AppError::not_now(NotNow::Overloaded, 2))?;
        Arc::clone(&self.permits).acquire_owned().await.map_err(AppError::internal)
    }
}

/// True if another system made it: ours name their pepper.
fn is_imported(phc: &str) -> bool {
    salted_hash::is_meant(phc) && salted_hash::read(phc).is_ok()
}

/// A place in the queue, given back however the waiting ends.
struct Place<'a>(&'a AtomicUsize);

impl<'a> Place<'a> {
    fn take(waiting: &'a AtomicUsize, queue: usize) -> Option<Self> {
        let free = |n: usize| (n < queue).then_some(n + 1);
        waiting.fetch_update(Ordering::AcqRel, Ordering::Acquire, free).ok().map(|_| Self(waiting))
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// The peppers of the master keys, the current one first.
fn peppers(vault: &Vault) -> impl Iterator<Item = Pepper> {
    let ids = vault.keyed_hashes("password pepper id", b"").into_iter().map(|[a, b, c, d, e, f, ..]| [a, b, c, d, e, f]);
    let keys = vault.keyed_hashes("password pepper", b"");
    ids.zip(keys).map(|(id, key)| Pepper { id, key: SecretBox::new(Box::new(key)) })
}

/// As whose pepper's id a PHC string names the master key, by the ids of the keys.
pub fn names_of_peppers(vault: &Vault) -> Vec<(String, MasterKeyId)> {
    let keys = std::iter::once(vault.key_id()).chain(vault.previous_ids());
    peppers(vault).map(|pepper| data_encoding::BASE64_NOPAD.encode(&pepper.id)).zip(keys).collect()
}

/// Salt and tag of random bytes: verifying against it costs what a real one costs, and fails.
fn dummy(params: &Params, rng: &Rng) -> Option<String> {
    let phc = PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(params).ok()?,
        salt: Some(Salt::new(&rng.bytes::<16>()).ok()?),
        hash: Some(Output::new(&rng.bytes::<32>()).ok()?),
    };
    Some(phc.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::config::Config;
    use std::sync::atomic::AtomicBool;

    fn hasher(memory: u32, passes: u32, key: u8) -> Arc<Passwords> {
        let mut auth = Config::development(std::path::PathBuf::new()).auth;
        (auth.argon2_memory_kib, auth.argon2_passes, auth.argon2_parallel) = (memory, passes, 1);
        Arc::new(Passwords::new(&auth, &Vault::new([key; 32]), &Rng::seeded(1)).unwrap())
    }

    #[tokio::test]
    async fn r11_other_parameters_or_another_pepper_make_a_hash_old() {
        let password = SecretString::from("korallenriff im winter");
        let rng = Rng::seeded(2);
        let phc = hasher(64, 1, 7).hash(&rng, &password).await.unwrap();
        assert!(phc.starts_with("$argon2id$v=19$m=64,t=1,p=1,keyid="), "{phc}");
        assert_eq!(hasher(64, 1, 7).verify(Some(&phc), &password).await.unwrap(), Verdict::Right);
        assert_eq!(hasher(72, 1, 7).verify(Some(&phc), &password).await.unwrap(), Verdict::RightButOld);
        assert_eq!(hasher(64, 2, 7).verify(Some(&phc), &password).await.unwrap(), Verdict::RightButOld);
        assert_eq!(hasher(64, 1, 8).verify(Some(&phc), &password).await.unwrap(), Verdict::Wrong, "the pepper counts");
    }

    #[tokio::test]
    async fn r86_a_hash_under_the_pepper_of_an_older_key_is_right_and_wants_to_be_renewed() {
        let password = SecretString::from("korallenriff im winter");
        let rng = Rng::seeded(2);
        let phc = hasher(64, 1, 7).hash(&rng, &password).await.unwrap();
        let mut auth = Config::development(std::path::PathBuf::new()).auth;
        (auth.argon2_memory_kib, auth.argon2_passes, auth.argon2_parallel) = (64, 1, 1);
        let vault = Vault::with_previous([8; 32], [[7; 32]]);
        let ring = Arc::new(Passwords::new(&auth, &vault, &rng).unwrap());
        assert_eq!(ring.verify(Some(&phc), &password).await.unwrap(), Verdict::RightButOld);
        assert_eq!(ring.verify(Some(&phc), &SecretString::from("another")).await.unwrap(), Verdict::Wrong);
        assert_eq!(ring.runs(), 2, "one run each");
        let renewed = ring.hash(&rng, &password).await.unwrap();
        assert_eq!(hasher(64, 1, 8).verify(Some(&renewed), &password).await.unwrap(), Verdict::Right, "under the current one");
        let names = names_of_peppers(&vault);
        assert!(renewed.contains(&format!("keyid={}", names[0].0)) && phc.contains(&format!("keyid={}", names[1].0)), "{names:?}");
    }

    #[tokio::test]
    async fn r16_no_hash_and_a_broken_hash_cost_a_run_and_are_wrong() {
        let hasher = hasher(64, 1, 7);
        assert!(PasswordHash::new(&hasher.dummy).is_ok());
        for stored in [None, Some(hasher.dummy.clone().as_str())] {
            let before = hasher.runs();
            assert_eq!(hasher.verify(stored, &SecretString::from("")).await.unwrap(), Verdict::Wrong);
            assert_eq!(hasher.runs() - before, 1);
        }
        assert_eq!(hasher.verify(Some("no phc"), &SecretString::from("x")).await.unwrap(), Verdict::Wrong);
    }

    #[tokio::test]
    async fn passwords_compare_after_nfkc() {
        let hasher = hasher(64, 1, 7);
        let phc = hasher.hash(&Rng::seeded(3), &SecretString::from("Jürgen wohnt in der Straße 5")).await.unwrap();
        let decomposed = SecretString::from("Ju\u{308}rgen wohnt in der Straße 5");
        assert_eq!(hasher.verify(Some(&phc), &decomposed).await.unwrap(), Verdict::Right);
    }

    #[tokio::test]
    async fn r11_r16_a_hash_of_another_system_is_right_but_old_and_costs_one_run_of_ours_too() {
        let (hasher, right, wrong) = (hasher(64, 1, 7), SecretString::from("korallenriff im winter"), SecretString::from("another"));
        let bcrypt = bcrypt::hash_with_salt(right.expose_secret(), 4, [7; 16]).unwrap().to_string();
        let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(64, 2, 1, None).unwrap());
        let argon2 = argon.hash_password_with_salt(right.expose_secret().as_bytes(), &[7; 16]).unwrap().to_string();
        let kinds = [salted_hash::kind(&bcrypt), salted_hash::kind(&argon2)];
        for phc in [&bcrypt, &argon2] {
            for kinds in [&[][..], &kinds[..]] {
                let before = hasher.runs();
                assert_eq!(hasher.verify_alike(Some(phc), &right, kinds).await.unwrap(), Verdict::RightButOld, "{phc}");
                assert_eq!(hasher.verify_alike(Some(phc), &wrong, kinds).await.unwrap(), Verdict::Wrong, "{phc}");
                assert_eq!(hasher.verify_alike(Some(phc), &SecretString::from(""), kinds).await.unwrap(), Verdict::Wrong, "{phc}");
                assert_eq!(hasher.runs() - before, 3);
            }
        }
        assert_eq!(hasher.verify_alike(None, &right, &kinds).await.unwrap(), Verdict::Wrong);
        let own = hasher.hash(&Rng::seeded(2), &right).await.unwrap();
        assert_eq!(hasher.verify_alike(Some(&own), &right, &kinds).await.unwrap(), Verdict::Right);
    }

    #[tokio::test]
    async fn s44_a_full_queue_refuses_instead_of_growing() {
        let hasher = hasher(64, 1, 7);
        let held = hasher.permits.acquire().await.unwrap();
        let waiting: Vec<_> = (0..QUEUE_PER_PERMIT)
            .map(|_| {
                let hasher = Arc::clone(&hasher);
                tokio::spawn(async move { hasher.verify(None, &SecretString::from("x")).await })
            })
            .collect();
        while hasher.waiting.load(Ordering::Acquire) < QUEUE_PER_PERMIT {
            tokio::task::yield_now().await;
        }
        let refused = hasher.verify(None, &SecretString::from("x")).await;
        assert_eq!(refused, Err(AppError::not_now(NotNow::Overloaded, 2)));
        drop(held);
        for one in waiting {
            assert_eq!(one.await.unwrap(), Ok(Verdict::Wrong));
        }
        assert_eq!(hasher.waiting.load(Ordering::Acquire), 0);
    }

    #[tokio::test]
    async fn r12_who_hangs_up_leaves_no_room_for_another_run() {
        let (hasher, password) = (hasher(64, 1, 7), SecretString::from("x"));
        let (begun, may_end) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        for _ in 0..20 {
            let (of_task, password, before) = (Arc::clone(&hasher), password.clone(), begun.load(Ordering::Acquire));
            let (begins, ends) = (Arc::clone(&begun), Arc::clone(&may_end));
            let asked = tokio::spawn(async move {
                let run = of_task.run(&password, 0, move |_, _| {
                    begins.fetch_add(1, Ordering::AcqRel);
                    while !ends.load(Ordering::Acquire) {
                        std::thread::yield_now();
                    }
                });
                run.await
            });
            while begun.load(Ordering::Acquire) == before && hasher.waiting.load(Ordering::Acquire) == 0 {
                tokio::task::yield_now().await;
            }
            asked.abort();
            assert!(asked.await.is_err(), "nobody waits for it any more");
        }
        let at_once = begun.load(Ordering::Acquire);
        may_end.store(true, Ordering::Release);
        assert_eq!(at_once, 1, "the first one runs on, the others found no place");
        assert_eq!(hasher.verify(None, &password).await, Ok(Verdict::Wrong), "its place is free when it has ended");
    }
}
