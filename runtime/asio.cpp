// The compiled halves of Asio and Beast, once for all (BOOST_ASIO_SEPARATE_COMPILATION, BOOST_BEAST_SEPARATE_COMPILATION): a header-only
// build would compile them again in every file that includes either.
#include <boost/asio/impl/src.hpp>
#include <boost/beast/src.hpp>
