//! An event as a payment service sends it: an invoice with its lines, nested as theirs are. The same bytes every time.

use serde_json::{Value, json};

/// 1 KiB with one line, 50 KiB with a hundred.
pub fn event(lines: usize) -> Vec<u8> {
    let lines = json!({ "object": "list", "data": (0..lines).map(line).collect::<Value>(), "total_count": lines });
    let invoice = json!({
        "id": "in_1SkQxL2eZvKYlo2CqG1xW9dU", "customer": "cus_TiL3mZbQ8fVw2n", "currency": "eur",
        "customer_name": "Jürgen Müller & Söhne", "customer_email": "einkauf@example.org",
        "amount_due": 129_900, "status": "paid", "lines": lines,
        "metadata": { "order": "SO-2026-000417", "channel": "web" },
    });
    let event = json!({
        "id": "evt_1SkQxM2eZvKYlo2C0xJv8f4A", "object": "event", "type": "invoice.paid", "created": 1_767_323_045,
        "livemode": true, "data": { "object": invoice },
        "request": { "id": "req_9fKq2LxV7mTzWc", "idempotency_key": null },
    });
    event.to_string().into_bytes()
}

fn line(place: usize) -> Value {
    json!({
        "id": format!("il_1SkQxL2eZvKYlo2C{place:08}"), "object": "line_item", "amount": 1_299 + place,
        "currency": "eur", "discounts": [], "quantity": place % 9 + 1, "proration": false, "subscription": null,
        "description": format!("{} × Flat washer M{}, stainless \"A2\"", place % 9 + 1, place % 20 + 3),
        "invoice_item": format!("ii_1SkQxL2eZvKYlo2C{:08}", place * 3),
        "period": { "start": 1_767_323_045, "end": 1_770_001_445 },
        "price": {
            "id": format!("price_1SkQ{:06}", place * 7), "product": format!("prod_TiL3{:06}", place * 11),
            "type": "one_time", "unit_amount": "12.990", "metadata": { "sku": format!("WSH-{place:04}") },
        },
        "tax_rates": [{ "percentage": 19.0, "inclusive": false }],
    })
}
