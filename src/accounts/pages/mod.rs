//! The pages of accounts, one file each.

mod come_back;
mod confirm_email;
mod danger;
mod delete_account;
mod email;
mod forgot_password;
mod profile;
mod public_profile;
mod reset_password;
mod security;
mod sessions;
mod sign_in;
mod sign_out;
mod sign_up;
mod undo_email;
mod user;
mod verify_email;

pub use come_back::ComeBackPage;
pub use confirm_email::ConfirmEmailPage;
pub use danger::DangerPage;
pub use delete_account::DeleteAccountPage;
pub use email::EmailPage;
pub use forgot_password::ForgotPasswordPage;
pub use profile::ProfilePage;
pub use public_profile::PublicProfilePage;
pub use reset_password::ResetPasswordPage;
pub use security::SecurityPage;
pub use sessions::SessionsPage;
pub use sign_in::SignInPage;
pub use sign_out::SignOutPage;
pub use sign_up::SignUpPage;
pub use undo_email::UndoEmailPage;
pub use user::UserPage;
pub use verify_email::VerifyEmailPage;
