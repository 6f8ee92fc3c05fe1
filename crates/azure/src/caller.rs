//! Who the identity of this process is, as its own access token says, for records that people read.
//!
//! The claims are read without verifying the token (`messaging-and-state.md` §4.1), and nothing is decided by them: the services
//! verify it. A token of another form names no caller.

use azure_core::base64;
use certificate_management::attribution::Caller;
use serde_json::Value;

use crate::access_token::AccessToken;
use crate::members;

/// The claims that name a person or an app, the one that people know best first.
const NAMES: [&str; 6] = ["upn", "preferred_username", "unique_name", "name", "app_displayname", "appid"];
/// Longest token that is looked at, in bytes.
const LONGEST: usize = 64 * 1024;

/// The identity that a token was given to; `None` where the token does not say it.
#[must_use]
pub fn caller(token: &AccessToken) -> Option<Caller> {
    let claims = token.secret().split('.').nth(1).filter(|claims| claims.len() <= LONGEST)?;
    // The error would repeat some of the token.
    let claims: Value = serde_json::from_slice(&base64::decode_url_safe(claims).ok()?).ok()?;
    let name = NAMES.iter().find_map(|name| members::text(&claims, &[name]));
    Caller::of(members::text(&claims, &["oid"]), name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use time::OffsetDateTime;

    use super::*;

    fn of(claims: &Value) -> Option<String> {
        let claims = base64::encode_url_safe(claims.to_string());
        let token = AccessToken::new(format!("header.{claims}.signature"), OffsetDateTime::UNIX_EPOCH);
        caller(&token).map(|caller| caller.to_string())
    }

    #[test]
    fn a_person_is_their_user_name_and_an_app_its_id_each_with_the_object_id() {
        let person = json!({"oid": "0a1b", "name": "Ann Example", "upn": "ann@contoso.com", "appid": "04b0"});
        assert_eq!(of(&person).as_deref(), Some("ann@contoso.com (0a1b)"));
        let app = json!({"oid": "2c3d", "appid": "1111", "idtyp": "app"});
        assert_eq!(of(&app).as_deref(), Some("1111 (2c3d)"));
        assert_eq!(of(&json!({"oid": "2c3d"})).as_deref(), Some("2c3d"));
    }

    #[test]
    fn a_token_that_says_nothing_names_no_one() {
        assert_eq!(of(&json!({})), None);
        assert_eq!(of(&json!({"oid": 5, "upn": ["a"]})), None);
        assert_eq!(of(&json!([1])), None);
        for text in ["", "opaque", "a.b", "a..c", "a.%%%.c", &format!("a.{}.c", "e".repeat(LONGEST + 1))] {
            assert_eq!(caller(&AccessToken::new(text, OffsetDateTime::UNIX_EPOCH)), None, "{text}");
        }
    }
}
