//! Ids as Postgres keeps them: a uuid each. Here and not beside the ids, since the browser has those too and knows no database.

use crate::values::{
    AccountId, ActingId, AlertRuleId, ApiId, BanId, BatchId, BlockId, BundleId, DeviceId, EventId, ExportId, GroupId, ImportId, InviteId, JobId, KeyId, LinkId,
    NodeId, PasskeyId, PlanId, SecretId, SessionId, TokenId, WorkspaceId,
};
use sqlx::{
    Decode, Encode, Postgres, Type,
    encode::IsNull,
    error::BoxDynError,
    postgres::{PgArgumentBuffer, PgTypeInfo, PgValueRef},
};
use uuid::Uuid;

macro_rules! stored {
    ($($name:ident),+ $(,)?) => {$(
        impl Type<Postgres> for $name {
            fn type_info() -> PgTypeInfo { <Uuid as Type<Postgres>>::type_info() }
        }
        impl Decode<'_, Postgres> for $name {
            fn decode(value: PgValueRef<'_>) -> Result<Self, BoxDynError> { <Uuid as Decode<Postgres>>::decode(value).map(Self::new) }
        }
        impl Encode<'_, Postgres> for $name {
            fn encode_by_ref(&self, buf: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> { Encode::<Postgres>::encode_by_ref(&self.uuid(), buf) }
        }
    )+};
}

stored!(
    AccountId,
    WorkspaceId,
    ApiId,
    KeyId,
    SecretId,
    ImportId,
    BatchId,
    BundleId,
    SessionId,
    TokenId,
    LinkId,
    InviteId,
    JobId,
    PlanId,
    GroupId,
    EventId,
    NodeId,
    ExportId,
    BanId,
    ActingId,
    DeviceId,
    PasskeyId,
    AlertRuleId,
    BlockId
);
