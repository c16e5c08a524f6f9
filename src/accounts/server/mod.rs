//! The operations of accounts over a private store, one file per idea. Whoever may call is checked in each of them; what nobody
//! needs to be signed in for (sign-up, proofs, sign-in, reset) is slowed down by `attempts`.

mod acting;
mod administration;
mod arriving;
mod asker;
mod attempts;
pub mod avatars;
mod bans;
mod begun;
mod caller;
mod common_passwords;
mod devices;
pub mod email_change;
mod entry;
pub mod export;
mod factors;
mod fields;
mod fresh_proof;
mod handles;
pub mod http;
mod importing;
mod invites;
pub mod jobs;
mod known_passwords;
mod leaked_passwords;
pub mod leaving;
mod letters;
pub mod links;
mod locked;
mod locks;
mod mail;
mod mail_asked;
mod mailboxes;
mod many;
pub mod new_codes;
pub mod openid;
mod operators;
mod own_mail;
mod password_rules;
mod passwords;
pub mod policies;
mod profile;
pub mod programs;
mod public_profile;
mod reset_codes;
mod resetting;
mod sessions;
mod sign_in;
mod sign_up;
mod sign_up_fate;
pub mod sign_up_work;
mod store;
mod taking_back;
mod tokens;
mod verifying;
mod visitor;
mod warnings;
mod zones;

pub use acting::{
    ActsAs, MAY_WHILE_ACTING, NEVER_WHILE_ACTING, NO_PAGES_WHILE_ACTING, NOT_NOW, PAGES_WHILE_ACTING, act_as, acts_here, is_no_page, leave_acting, stop_acting,
};
pub use administration::{
    AccountBan, AccountCounts, AccountFacts, Ended, count_accounts, disable_account, enable_account, end_session_of, end_sessions_of, find_account,
    find_account_by_email, list_accounts, permissions_of_account, send_reset_link, sessions_of_account,
};
pub use arriving::{arrive, go_back, sign_up_here};
pub use asker::{Asker, Known, asker, asker_for_sure};
pub use attempts::network;
pub use bans::{BanFacts, Target, Term, add_ban, ban_account, end_bans, find_ban, lift_ban, list_bans, page_of_bans, unban_account};
pub use begun::Beginner;
pub use caller::{OwesFactor, caller, caller_of_account, caller_of_token, caller_who_may_owe, context, identify, maybe_caller, session};
pub use devices::not_me;
pub use entry::{Barred, Entrant, WAYS_IN, WITH_OTHERS, may_come_in};
pub use factors::{
    ACTS, CODES, HARMLESS, Interrupted, NO_PROOF, Offered, PASSWORDS, PENDING_LASTS, PIN, PIN_ACTS, RESUME, ResealSeeds, SEEDS, StepUpProof,
    accept_second_factor, add_passkey, are_passkeys_possible, ask_passkey, ask_passkey_of_sign_up, ask_reset, browser_of, clear_admin_pin, confirm_totp,
    factors, factors_of, finish_sign_in, has_second_factor, held_by_master_keys, is_factor_owed, is_pin_next, keep_form, list_passkeys, look_at_form,
    make_recovery_codes, new_passkey, pending_sign_in, prove_pin, remove_passkey, remove_totp, rename_passkey, require_admin_proof, require_pin,
    require_recent_proof, reseal_seeds, reset_factors_now, set_admin_pin, sign_in_with_passkey, start_passkey, start_totp, step_up, step_up_view, stop_reset,
    take_form, totp_setup, waiting_reset, with_pin,
};
pub use fields::{
    change_field, create_field, delete_field, list_fields, plan_field, sign_up_fields,
    values::{FieldsChange, Sent, beside_inputs},
    values_of,
};
pub use importing::{import_account_objects, import_accounts, keep_account_list, preview_account_list, run_account_list};
pub use invites::{
    InviteFacts, InviteState, MOST_OPEN, RESENT_AFTER, Resent, cancel_invite, create_invite, create_invite_by_form, invite_address, list_invites,
    must_be_nobody, open_invite, resend_invite,
};
pub use known_passwords::{close_account, has_password};
pub use letters::KINDS as MAIL_KINDS;
pub use locked::must_be_open;
pub use locks::{is_password_stopped, unlock, unlock_account};
pub use mailboxes::NormalizeAddresses;
pub use many::{AccountsPlan, Chosen, ManyAccounts, change_many_accounts, plan_many_accounts};
pub use operators::{NewOperator, create_operator, ensure_first_operator};
pub use own_mail::{charge_own_mail, own_reader};
pub use password_rules::advice as password_advice;
pub use passwords::Passwords;
pub use profile::{ProfileChange, in_full, is_time_zone, profile, security, time_zones, update_profile, when};
pub use public_profile::public_profile;
pub use reset_codes::{Asked, token_of_reset_code};
pub use resetting::{change_password, forgot_password, reset_link, reset_password};
pub use sessions::{begin, end_session, end_sessions, list_sessions, sign_out};
pub use sign_in::{Proven, SignIn, sign_in};
pub use sign_up::{DEVELOPER, NewAccount, NewSignUp, OPERATOR, SignUpWith, create_account, door, sign_up};
pub use verifying::{NO_CODE, Proof, Verified, resend_verification, verify_email, verify_link};
pub use visitor::{Visitor, device_in_words};
pub use warnings::EndBans;
pub use zones::{fill_time_zone, fill_time_zone_of};
