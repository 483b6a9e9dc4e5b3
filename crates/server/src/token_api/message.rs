//! What each message must hold.

use serde_json::Value;
use warifu_credentials::Code;
use warifu_credentials::purpose::Purpose;
use warifu_wire::{
    Nothing, Platform, ProvisionRequest, PublicKey, ResyncRequest, StopReason, StopRequest,
    ValidateRequest,
};

use super::body::{Field, Message, understand};
use super::problem::ApiProblem;
use super::text::Text;

const CODE: Text = Text {
    en: "6 to 8 ASCII digits",
    ja: "6〜8桁の半角数字",
};

fn is_code(value: &Value) -> bool {
    value.as_str().is_some_and(|text| Code::parse(text).is_ok())
}

impl Message for ValidateRequest {
    type Meaning = (Code, Purpose);
    const FIELDS: &'static [Field] = &[
        Field {
            name: "code",
            expected: CODE,
            fits: is_code,
        },
        Field {
            name: "purpose",
            expected: Text {
                en: "1 to 32 of a-z, 0-9, _ and -",
                ja: "a-z、0-9、_、- の1〜32文字",
            },
            fits: |value| {
                value
                    .as_str()
                    .is_some_and(|text| text.parse::<Purpose>().is_ok())
            },
        },
    ];

    fn meaning(self) -> Option<Self::Meaning> {
        Some((Code::parse(&self.code).ok()?, self.purpose.parse().ok()?))
    }
}

impl Message for ResyncRequest {
    type Meaning = (Code, Code);
    const FIELDS: &'static [Field] = &[
        Field {
            name: "first_code",
            expected: CODE,
            fits: is_code,
        },
        Field {
            name: "second_code",
            expected: CODE,
            fits: is_code,
        },
    ];

    fn meaning(self) -> Option<Self::Meaning> {
        Some((
            Code::parse(&self.first_code).ok()?,
            Code::parse(&self.second_code).ok()?,
        ))
    }
}

impl Message for StopRequest {
    type Meaning = StopReason;
    const FIELDS: &'static [Field] = &[Field {
        name: "reason",
        expected: Text {
            en: "lost, stolen, replaced, left or other",
            ja: "lost（紛失）、stolen（盗難）、replaced（交換）、left（解約）、other（その他）のどれか",
        },
        fits: |value| serde_json::from_value::<StopReason>(value.clone()).is_ok(),
    }];

    fn meaning(self) -> Option<Self::Meaning> {
        Some(self.reason)
    }
}

impl Message for Nothing {
    type Meaning = ();
    const FIELDS: &'static [Field] = &[];

    fn meaning(self) -> Option<()> {
        Some(())
    }
}

impl Message for ProvisionRequest {
    type Meaning = Self;
    const FIELDS: &'static [Field] = &[
        Field {
            name: "public_key",
            expected: PUBLIC_KEY,
            fits: |value| {
                value
                    .as_str()
                    .is_some_and(|text| text.parse::<PublicKey>().is_ok())
            },
        },
        Field {
            name: "platform",
            expected: Text {
                en: "web, desktop or cli",
                ja: "web、desktop、cli のどれか",
            },
            fits: |value| serde_json::from_value::<Platform>(value.clone()).is_ok(),
        },
    ];

    fn meaning(self) -> Option<Self> {
        Some(self)
    }
}

pub(super) const PUBLIC_KEY: Text = Text {
    en: "an X25519 public key that is not of low order, 32 bytes as base64url without padding",
    ja: "低位数でない X25519 公開鍵（32バイト、パディングなしの base64url）",
};

/// Reads a body as the route of `verb` does: `provision`, `validate`, `resync`, `stop`; any other takes no field. For the
/// fuzz targets.
///
/// # Errors
/// What the client would be told.
#[doc(hidden)]
pub fn read_body(verb: &str, bytes: &[u8]) -> Result<(), ApiProblem> {
    match verb {
        "provision" => understand::<ProvisionRequest>(bytes).map(drop),
        "validate" => understand::<ValidateRequest>(bytes).map(drop),
        "resync" => understand::<ResyncRequest>(bytes).map(drop),
        "stop" => understand::<StopRequest>(bytes).map(drop),
        _ => understand::<Nothing>(bytes),
    }
}
