//! The `Data` and `Metadata` of each trigger; names and their order are those of the captures.

pub mod event_grid;
pub mod event_hub;
pub mod http;
pub mod made_up;
pub mod other;
pub mod service_bus;
pub mod timer;

use super::app::Function;
use super::encoding::NetValue;
use super::envelope::{Metadata, Payload};
use super::newtonsoft::{self, Token};
use super::zone::Zone;

/// A payload with the trigger's value and, after it, the other inputs. Their sources are not simulated, so they
/// have no value.
fn payload(function: &Function, value: NetValue, metadata: Metadata) -> Payload {
    let others = function.bindings.iter().filter(|binding| binding.direction != super::app::Direction::Out);
    let mut data = vec![(function.trigger_binding.name.clone(), value)];
    data.extend(others.map(|binding| (binding.name.clone(), NetValue::Null)));
    Payload { data, metadata, shadowing_text: None }
}

/// The value of a batch of bodies: texts, bytes, or (without a `dataType`) whatever their JSON holds.
///
/// # Errors
/// A body that does not fit the type. The invocation then fails before any request is sent.
fn batch<'a>(
    function: &Function,
    bodies: impl Iterator<Item = &'a [u8]>,
    zone: &Zone,
) -> Result<NetValue, String> {
    use super::app::DataType;
    use base64::Engine;
    let element = |body: &[u8]| -> Result<Token, String> {
        match function.data_type() {
            DataType::Binary | DataType::Stream => {
                Ok(Token::Text(base64::engine::general_purpose::STANDARD.encode(body)))
            }
            DataType::String => Ok(Token::from(utf8(body)?)),
            DataType::Undefined => newtonsoft::parse(utf8(body)?, zone).map_err(|error| {
                format!(
                    "a body of the batch is not JSON ({error}), and without \"dataType\" in function.json each one must be: the whole batch fails before the handler sees it; set \"dataType\": \"string\""
                )
            }),
        }
    };
    Ok(NetValue::Other(Token::Array(bodies.map(element).collect::<Result<_, _>>()?)))
}

/// The value of one body, and its text if members of it can shadow metadata.
///
/// # Errors
/// A body that is not UTF-8 where a text is wanted.
fn single(function: &Function, body: &[u8]) -> Result<(NetValue, Option<String>), String> {
    use super::app::DataType;
    match function.data_type() {
        DataType::Binary | DataType::Stream => Ok((NetValue::Bytes(body.to_vec()), None)),
        DataType::String | DataType::Undefined => {
            let text = utf8(body)?.to_owned();
            Ok((NetValue::text(text.clone()), Some(text)))
        }
    }
}

fn utf8(body: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(body).map_err(|_| {
        "a body is not UTF-8, so it cannot become a string: set \"dataType\": \"binary\" in function.json"
            .to_owned()
    })
}
