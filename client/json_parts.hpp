#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "client/layout.hpp"
#include "protocol/audit/report.hpp"
#include "protocol/schema/record_codec.hpp"

/// What the files that print JSON share.
namespace kith::client {

using Json = nlohmann::ordered_json;  // Keys stay in the order of docs/JSON.md.

inline std::string print(const Json& json, int indent = 2) {
  return json.dump(indent, ' ', true, Json::error_handler_t::replace);
}

/// null for what no calendar holds and for 0, which means never.
inline Json time_json(Millis time) {
  const std::string text = time == 0 ? "" : utc_of(time);
  return text.empty() ? Json(nullptr) : Json(text);
}

inline Json text_or_null(const std::string& text) {
  return text.empty() ? Json(nullptr) : Json(text);
}

inline Json scopes_json(Scopes scopes) {
  Json list = Json::array();
  const auto has = [&](Scope scope) { return (scopes & static_cast<Scopes>(scope)) != 0; };
  if (has(Scope::publish)) list.push_back("publish");
  if (has(Scope::speak)) list.push_back("speak");
  if (has(Scope::steward)) list.push_back("steward");
  return list;
}

/// What an auditor hands in; client/json_audit.cpp.
[[nodiscard]] Json row(const AuditReport& report);

}  // namespace kith::client
