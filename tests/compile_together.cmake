# What a clean run of the tests waits longest for is compilers, which spend their time on headers and on making the same templates again and
# again. So the files of a folder are compiled as one, and what most of them include is parsed once for all.
# The price: names in the unnamed namespaces of a folder's files must differ, and a change compiles the folder. -DBLOOMWATCH_TOGETHER=OFF compiles
# each file alone, as the release build always does, which finds a file that forgot to include what it uses.
# CMake's own unity builds and precompiled headers write the clone's folder into files and commands, so that no two clones could share a compiler
# cache. Here a folder's file names its parts as includes do, and the header that is precompiled is one of Boost's: every clone's is the same.

set(common_headers algorithm array bitset chrono condition_variable deque expected filesystem functional map memory mutex optional ranges set span
  string string_view thread tuple unordered_map unordered_set variant vector
  boost/mp11.hpp boost/unordered/unordered_flat_map.hpp gmock/gmock.h gtest/gtest.h)
set(precompiled_headers ${CMAKE_BINARY_DIR}/headers.pch)

string(TOUPPER CMAKE_CXX_FLAGS_${CMAKE_BUILD_TYPE} build_type_flags)
separate_arguments(flags UNIX_COMMAND "${CMAKE_CXX_FLAGS} ${${build_type_flags}}")
list(JOIN common_headers ";-include;" included)
add_custom_command(OUTPUT ${precompiled_headers} DEPFILE ${precompiled_headers}.d COMMAND_EXPAND_LISTS VERBATIM COMMENT "Precompiling headers"
  COMMAND ${CMAKE_CXX_COMPILER_LAUNCHER} ${CMAKE_CXX_COMPILER} ${CMAKE_CXX23_STANDARD_COMPILE_OPTION} ${flags}
    "$<TARGET_PROPERTY:bloomwatch_options,INTERFACE_COMPILE_OPTIONS>" -Xclang -fno-pch-timestamp -fpch-instantiate-templates
    -include ${included} -x c++-header -MD -MF ${precompiled_headers}.d -o ${precompiled_headers} -c ${Boost_INCLUDE_DIRS}/boost/describe.hpp)
add_custom_target(precompiled_headers DEPENDS ${precompiled_headers})  # so that it waits for no library which its files are linked with

# Compiles those files of a target together that are of one folder and have the same options. A file with definitions of its own stays alone.
function(compile_together target)
  if(NOT BLOOMWATCH_TOGETHER)
    return()
  endif()
  get_target_property(sources ${target} SOURCES)
  set(folders)
  set(files)
  foreach(source ${sources})
    get_source_file_property(definitions ${source} COMPILE_DEFINITIONS)
    if(definitions)
      list(APPEND files ${source})
      continue()
    endif()
    get_source_file_property(options ${source} COMPILE_OPTIONS)
    file(REAL_PATH ${source} source)
    file(RELATIVE_PATH source ${CMAKE_SOURCE_DIR} ${source})
    get_filename_component(folder ${source} DIRECTORY)
    if(options)
      string(APPEND folder ${options})
      set(options_${folder} ${options})
    endif()
    list(APPEND folders ${folder})
    string(APPEND text_${folder} "#include \"${source}\"\n")
  endforeach()

  list(REMOVE_DUPLICATES folders)
  foreach(folder ${folders})
    set(file ${CMAKE_BINARY_DIR}/together/${target}/${folder}.cpp)
    file(CONFIGURE OUTPUT ${file} CONTENT "${text_${folder}}" @ONLY)
    list(APPEND files ${file})
    if(options_${folder})
      set_source_files_properties(${file} PROPERTIES COMPILE_OPTIONS "${options_${folder}}")
    else()
      set_source_files_properties(${file} PROPERTIES COMPILE_OPTIONS "-include-pch;${precompiled_headers}" OBJECT_DEPENDS ${precompiled_headers})
    endif()
  endforeach()
  set_target_properties(${target} PROPERTIES SOURCES "${files}")
endfunction()
