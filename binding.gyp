{
  'targets': [
    {
      'target_name': 'nfbridge',
      # Every source below native/; a new file is found by the next `node-gyp configure`.
      'sources': ['<!@(find native -name "*.cc" | LC_ALL=C sort)'],
      'include_dirs': ['native'],
      'defines': ['NAPI_VERSION=9'],
      'cflags!': ['-O3'],
      'cflags': ['-O2', '-Wall', '-Wextra', '-fvisibility=hidden'],
      'cflags_cc!': ['-std=gnu++17', '-std=gnu++20'],
      'cflags_cc': ['-std=c++20', '-fno-exceptions', '-fno-rtti', '-fvisibility-inlines-hidden'],
      'ldflags': ['-Wl,--as-needed', '-Wl,-z,relro,-z,now'],
    },
  ],
}
