//! What time has made worthless: proofs, half-done sign-ins and forms, ways back to an address, counters of attempts, invitations, and
//! sign-ups that nobody proved.

use crate::values::{AccountId, WorkspaceId};
use sqlx::{PgConnection, PgPool};
use time::{Duration, OffsetDateTime};

/// Longer than a mail is tried: a retry must find that its proof was used.
const PROOFS: Duration = Duration::days(8);
/// Longer than any rule remembers one or two failures; three and more in a row are kept for as long as `attempts::REMEMBERED`.
const ATTEMPTS: Duration = Duration::days(8);
const ROWS_OF_ATTEMPTS: Duration = Duration::days(401);
/// As long as the cookie of a known browser lives (`devices::LIVES`).
const DEVICES: Duration = Duration::days(400);
/// Longer than an export can be fetched.
const EXPORTS: Duration = Duration::days(2);
const INVITES: Duration = Duration::days(30);
/// Who was told that an operator was in their account finds it on Sessions for a year.
const ACTINGS: Duration = Duration::days(365);
/// How long somebody has to prove the address of a sign-up. Until then a new sign-up overwrites it (R57).
const UNPROVEN: Duration = Duration::days(7);
/// The same by invitation: whoever mistyped the address needs it again.
pub const UNPROVEN_INVITED: Duration = Duration::DAY;

/// How many rows went, by kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gone {
    pub proofs: u64,
    pub undos: u64,
    pub attempts: u64,
    pub invites: u64,
    /// Locks that nobody came back to, links of mails about devices, browsers that were not used.
    pub devices: u64,
    /// Programs whose sign-in has run out, with their tokens.
    pub programs: u64,
}

pub async fn delete_expired(db: &PgPool, now: OffsetDateTime) -> sqlx::Result<Gone> {
    let proofs = sqlx::query!("delete from auth_tokens where expires_at < $1", now - PROOFS).execute(db).await?.rows_affected();
    sqlx::query!("delete from email_changes where asked_at < $1", now - PROOFS).execute(db).await?;
    let undos = sqlx::query!("delete from email_undos where until < $1", now).execute(db).await?.rows_affected();
    super::imports::delete_lists(db, now - Duration::DAY).await?;
    super::exports::delete_old(db, now - EXPORTS).await?;
    super::profiles::delete_old_holds(db, now).await?;
    super::sign_up_work::delete_old(db, now - EXPORTS, now).await?;
    super::acting::delete_old(db, now - ACTINGS).await?;
    let attempts = sqlx::query!(
        "delete from attempt_counters where blocked_until < $3 and (last_at < $2 or (last_at < $1 and (failures < 3 or bucket !~ '^(sign_in:(id|dev)|password:id):')))",
        now - ATTEMPTS,
        now - ROWS_OF_ATTEMPTS,
        now,
    )
    .execute(db)
    .await?;
    let invites = sqlx::query!("delete from invites where expires_at < $1", now - INVITES).execute(db).await?;
    sqlx::query!("delete from pending_sign_ins where expires_at < $1", now).execute(db).await?;
    sqlx::query!("delete from interrupted_forms where expires_at < $1", now).execute(db).await?;
    sqlx::query!("delete from passkey_challenges where expires_at < $1", now).execute(db).await?;
    let programs = super::programs::delete_ended(db, now).await?;
    sqlx::query!("delete from totp_enrolments where expires_at < $1", now).execute(db).await?;
    sqlx::query!("delete from sign_in_flows where expires_at < $1", now).execute(db).await?;
    let locks = sqlx::query!("delete from account_locks where until < $1 and expires_at < $1", now - ATTEMPTS).execute(db).await?.rows_affected();
    let alarms = sqlx::query!("delete from device_alarms where expires_at < $1", now - PROOFS).execute(db).await?.rows_affected();
    let unused = sqlx::query!("delete from known_devices where last_used_at < $1", now - DEVICES).execute(db).await?.rows_affected();
    Ok(Gone { programs, devices: locks + alarms + unused, proofs, undos, attempts: attempts.rows_affected(), invites: invites.rows_affected() })
}

/// A sign-up whose time to be proven is over, with its workspace; nobody else gets it before this transaction ends. Only what somebody
/// typed on the sign-up page: an account that an operator made waits for its owner.
pub async fn lock_unproven(conn: &mut PgConnection, now: OffsetDateTime) -> sqlx::Result<Option<(AccountId, Option<WorkspaceId>)>> {
    let row = sqlx::query!(
        r#"select a.id, w.id as "workspace?" from accounts a left join workspaces w on w.personal_of = a.id
           where a.verified_at is null and a.last_sign_in_at is null
             and (a.created_at < $1 or (a.created_at < $2 and exists (select 1 from invite_uses u where u.sign_up_id = a.sign_up_id)))
             and exists (select 1 from events e where e.subject_id = a.id and e.kind = 'account.signed_up')
           order by a.created_at, a.id limit 1 for update of a skip locked"#,
        now - UNPROVEN,
        now - UNPROVEN_INVITED,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|r| (AccountId::new(r.id), r.workspace.map(WorkspaceId::new))))
}
