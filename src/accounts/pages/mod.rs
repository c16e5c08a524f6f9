//! The pages of accounts, one file each.

mod forgot_password;
mod not_me;
mod profile;
mod reset_password;
mod security;
mod sessions;
mod sign_in;
mod sign_out;
mod sign_up;
mod unlock;
mod verify_email;

pub use forgot_password::ForgotPasswordPage;
pub use not_me::NotMePage;
pub use profile::ProfilePage;
pub use reset_password::ResetPasswordPage;
pub use security::SecurityPage;
pub use sessions::SessionsPage;
pub use sign_in::SignInPage;
pub use sign_out::SignOutPage;
pub use sign_up::SignUpPage;
pub use unlock::UnlockPage;
pub use verify_email::VerifyEmailPage;
