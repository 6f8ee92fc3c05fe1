//! Numbers as .NET writes them.

/// A double as `ToString()` gives it: the shortest digits that read back, an exponent of at least two digits from
/// 1E+15 up and from 1E-05 down.
#[must_use]
pub fn format_float(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    let scientific = format!("{value:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if value == 0.0 || (-5 < exponent && exponent < 15) {
        return format!("{value}");
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}E{sign}{:02}", exponent.abs())
}

/// A double as Json.NET writes it: it never looks like a whole number, and what JSON lacks is quoted.
pub(super) fn write_float(value: f64) -> String {
    let text = format_float(value);
    if !value.is_finite() {
        return format!("\"{text}\"");
    }
    if text.contains(['.', 'E']) { text } else { format!("{text}.0") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_spelt_as_dotnet_does() {
        for (value, expected) in [
            (1.10, "1.1"),
            (1e3, "1000.0"),
            (1e15, "1E+15"),
            (123_456_789_012_345.0, "123456789012345.0"),
            (1.5e-7, "1.5E-07"),
            (0.0001, "0.0001"),
            (0.00001, "1E-05"),
            (-2.5, "-2.5"),
            (0.0, "0.0"),
            (f64::NAN, "\"NaN\""),
        ] {
            assert_eq!(write_float(value), expected);
        }
        let long: f64 = "0.1234567890123456789".parse().unwrap();
        assert_eq!(write_float(long), "0.12345678901234568");
    }
}
