// Routes: literals win, methods are told apart, and requests can be run without a socket.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/http.h"

namespace bloomwatch {
namespace {

using http::Access;
using http::Method;
using http::Request;
using http::Responder;

http::Handler named(std::string name) {
  return [name](Request request, Responder respond) {
    std::string body = name;
    for (const auto& [key, value] : request.path_params) body += " " + key + "=" + value;
    respond({200, "text/plain", {}, body});
  };
}

http::Routes spaces() {
  http::Routes routes;
  routes.add(Method::get, "/api/watch-spaces", Access::signed_in, named("list"));
  routes.add(Method::post, "/api/watch-spaces", Access::signed_in, named("make"));
  routes.add(Method::get, "/api/watch-spaces/{watchSpace}", Access::member, named("show"));
  routes.add(Method::post, "/api/watch-spaces/invitations/{token}/accept", Access::signed_in, named("accept"));
  routes.add(Method::post, "/api/watch-spaces/{watchSpace}/invitations", Access::owner, named("invite"));
  routes.add(Method::patch, "/api/watch-spaces/{watchSpace}/members/me", Access::member, named("me"));
  routes.add(Method::patch, "/api/watch-spaces/{watchSpace}/members/{userId}", Access::owner, named("role"));
  routes.add(Method::del, "/api/watch-spaces/{watchSpace}/members/{userId}", Access::owner, named("remove"));
  return routes;
}

http::Response ask(const http::Routes& routes, Method method, std::string path) {
  Request request;
  request.method = method;
  request.path = std::move(path);
  http::Response answer;
  routes.dispatch(std::move(request), Responder([&](http::Response response) { answer = std::move(response); }));
  return answer;
}

TEST(Routes, find_the_handler_and_name_the_parameters) {
  const auto routes = spaces();
  EXPECT_EQ(ask(routes, Method::get, "/api/watch-spaces").body, "list");
  EXPECT_EQ(ask(routes, Method::get, "/api/watch-spaces/1").body, "show watchSpace=1");
  EXPECT_EQ(ask(routes, Method::post, "/api/watch-spaces/1/invitations").body, "invite watchSpace=1");
  EXPECT_EQ(ask(routes, Method::post, "/api/watch-spaces/invitations/t%2F1/accept").body, "accept token=t/1");
  EXPECT_EQ(ask(routes, Method::patch, "/api/watch-spaces/1/members/me").body, "me watchSpace=1");
  EXPECT_EQ(ask(routes, Method::patch, "/api/watch-spaces/1/members/2").body, "role watchSpace=1 userId=2");
  EXPECT_EQ(ask(routes, Method::head, "/api/watch-spaces/1").body, "show watchSpace=1");
}

TEST(Routes, fall_back_to_the_parameter_where_the_literal_has_no_such_method) {
  const auto routes = spaces();
  EXPECT_EQ(ask(routes, Method::del, "/api/watch-spaces/1/members/me").body, "remove watchSpace=1 userId=me");
  EXPECT_EQ(ask(routes, Method::get, "/api/watch-spaces/invitations").body, "show watchSpace=invitations");
}

TEST(Routes, tell_unknown_paths_from_unknown_methods) {
  const auto routes = spaces();
  EXPECT_EQ(ask(routes, Method::get, "/api").status, 404);
  EXPECT_EQ(ask(routes, Method::get, "/api/watch-spaces/").status, 404);
  EXPECT_EQ(ask(routes, Method::get, "/" + std::string(100, '/')).status, 404);
  EXPECT_EQ(ask(routes, Method::put, "/api/watch-spaces").status, 405);
  EXPECT_EQ(routes.find(Method::put, "/api/watch-spaces/1/members/me").allow, "PATCH, DELETE, OPTIONS");
  EXPECT_EQ(ask(routes, Method::get, "/api/watch-spaces/%ff").status, 400);
}

TEST(Routes, list_themselves_in_order_with_access) {
  const auto routes = spaces();
  ASSERT_EQ(routes.table().size(), 8u);
  EXPECT_EQ(routes.table()[4].pattern, "/api/watch-spaces/{watchSpace}/invitations");
  EXPECT_EQ(routes.table()[4].access, Access::owner);
  EXPECT_EQ(routes.table()[0].options.content, http::Content::none);
  EXPECT_EQ(routes.table()[1].options.content, http::Content::json);
}

TEST(RoutesDeathTest, refuse_two_of_the_same_shape) {
  auto routes = spaces();
  EXPECT_DEATH(routes.add(Method::get, "/api/watch-spaces/{other}", Access::anyone, named("x")), "same method and shape");
}

TEST(Responder, answers_an_abandoned_request) {
  int status = 0;
  {
    const Responder responder([&](http::Response response) { status = response.status; });
  }
  EXPECT_EQ(status, 500);
}

TEST(Query, is_split_and_decoded) {
  const auto query = http::parse_query("a=1&b=%26+%3D&&c&=d", 10);
  ASSERT_TRUE(query);
  EXPECT_THAT(*query,
              testing::ElementsAre(testing::Pair("a", "1"), testing::Pair("b", "& ="), testing::Pair("c", ""), testing::Pair("", "d")));
  EXPECT_FALSE(http::parse_query("a=1&b=2", 1));
  EXPECT_FALSE(http::parse_query("a=%0", 10));
  EXPECT_FALSE(http::parse_query("a=%00", 10));
  EXPECT_FALSE(http::parse_query("a=%c3%28", 10));
}

}  // namespace
}  // namespace bloomwatch
