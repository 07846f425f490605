# What most files include, parsed once for all of them instead of in each of them, which was half of a compiler's work.
# CMake's own target_precompile_headers() writes the clone's folder into every command, so that no two clones could share a compiler cache.
# Here the file that is compiled is one of Boost's and the command includes the others: every clone's is the same.

set(common_headers algorithm array bitset chrono condition_variable deque expected filesystem functional map memory mutex optional ranges set span
  string string_view thread tuple unordered_map unordered_set variant vector
  boost/describe.hpp boost/mp11.hpp boost/unordered/unordered_flat_map.hpp)

add_custom_target(precompiled_headers)  # all of them, which clang-tidy wants

# Makes `<name>.pch` of headers, named as between < and >. `options`: those of the files that it is for beside bloomwatch_options; Clang wants
# it to be compiled as they are.
function(precompile_headers name options)
  string(TOUPPER CMAKE_CXX_FLAGS_${CMAKE_BUILD_TYPE} build_type_flags)
  separate_arguments(flags UNIX_COMMAND "${CMAKE_CXX_FLAGS} ${${build_type_flags}}")
  list(JOIN ARGN ";-include;" included)
  set(pch ${CMAKE_BINARY_DIR}/${name}.pch)
  add_custom_command(OUTPUT ${pch} DEPFILE ${pch}.d COMMAND_EXPAND_LISTS VERBATIM COMMENT "Precompiling ${name}"
    COMMAND ${CMAKE_CXX_COMPILER_LAUNCHER} ${CMAKE_CXX_COMPILER} ${CMAKE_CXX23_STANDARD_COMPILE_OPTION} ${flags}
      "$<TARGET_PROPERTY:bloomwatch_options,INTERFACE_COMPILE_OPTIONS>" ${options} -Xclang -fno-pch-timestamp -fpch-instantiate-templates
      -include ${included} -x c++-header -MD -MF ${pch}.d -o ${pch} -c ${Boost_INCLUDE_DIRS}/boost/describe.hpp)
  add_custom_target(${name} DEPENDS ${pch})  # so that it waits for no library which its files are linked with
  add_dependencies(precompiled_headers ${name})
endfunction()

# Compiles files with them, and with `options`.
function(use_precompiled_headers name options)
  set(pch ${CMAKE_BINARY_DIR}/${name}.pch)
  set_source_files_properties(${ARGN} PROPERTIES COMPILE_OPTIONS "${options};-include-pch;${pch}" OBJECT_DEPENDS ${pch})
endfunction()
