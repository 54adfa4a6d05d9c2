package tlshello

// sharedPrimes are primes that many servers have in common, by the SHA-256 of their bytes (big-endian, without leading
// zeros), and who published them or ships them as a default. Whoever breaks one breaks all of its users (Adrian et al.,
// Imperfect Forward Secrecy, 2015).
var sharedPrimes = map[string]string{
	"3cdb020b9ef298b2f3f6cf5a872af527337bf7b9f654b2e70c49da16a4d24137": "Apache mod_ssl 2.0.x",       // 512 bits
	"f79d1db3c955a28fdeca462670a0712efee4b588c7858e4943883f903bd1354b": "Apache mod_ssl 2.2.x",       // 1024 bits
	"db01e702899166da28c9bc7896af62bcdf0c96d0fb341950ba80e68bd51a57ef": "Apache mod_ssl 2.2.x",       // 512 bits
	"bf910d9df4e0b2e76cda7443f592aa118e33ba2c224ebc27fb8978d873c8c2e3": "Apache mod_ssl 2.2.x",       // 1024 bits
	"8ae47dca3d24e9b64640062686da234dcabada26b0da6f090c5449c1338d9a11": "nginx",                      // 1024 bits
	"73b391ec8da33ee197aed17d7cfce1321b94e04c5b55b3c02c1c7198eb88715b": "Java sun.security.provider", // 512 bits
	"ee5483fe4b96caa10cb5b863ec409aab2762e6bf43af4a8a0a42817fef4dd7f3": "Java sun.security.provider", // 768 bits
	"cc21a33dd1a3edf40bf636b5496e4aede198a437a8548e0cc1a621424e42419b": "Java sun.security.provider", // 1024 bits
	"f26e2403f3f07946654404909f0ff81d9354de17250411b4c04b89af73178425": "OpenSSL",                    // 512 bits
	"66d0bf38b0bdfacf2fdae33f35102ab6079fd5ff0feff8e436a4063745c72739": "OpenSSL",                    // 1024 bits
	"3166ce19180005327a6059a2e7a4ed22775ad2f0eadaee59a7481ab391fe592f": "OpenSSL",                    // 2048 bits
	"9e348a9471b7d123aa97071e38288379fc12a9992e8e75db2113c1ded5463ac3": "OpenSSL",                    // 2048 bits
	"ce7728db3aed1119a82b9f17b17df9f8e370ddd7639946df09a119f924aa42e8": "OpenSSL",                    // 4096 bits
	"b52ba6a3026520a6c49d37e4587601801bee500123b3259b6bf03e7cecc3e63d": "RFC 2409 group 1",           // 768 bits
	"3f35a3f5f6c4376a744acad409bb22f8d897f949d2311d885adaa890981b67a0": "RFC 2409 group 2",           // 1024 bits
	"64fcc83ec403930bf18393dbc883ccaa1fbb08ac876f77f7aa99748ca945019b": "RFC 3526 group 5",           // 1536 bits
	"d66436f79bbd6b2e38c0ffbd079be904d2641415e2e67140e09448be9a60890e": "RFC 3526 group 14",          // 2048 bits
	"48cf8b092fbce4359d9871abf74f98e25b6163379eaa15cd9087e800c6d1c55c": "RFC 3526 group 15",          // 3072 bits
	"4ee95187682bcb230ad26a95205f6920e84708f6251b3894329b09ec23919e33": "RFC 3526 group 16",          // 4096 bits
	"d1bfe6d0925ce7e4da262b62861514a7755e35831e429f343e7b864848657efd": "RFC 3526 group 17",          // 6144 bits
	"39ab4feab950a3128fb71accb9fc3965d857012e081998a85996e3ea8b3c3bcf": "RFC 3526 group 18",          // 8192 bits
	"44c55cfee5c075927cf682da5b681bdecbd5c3eb0784c14f5dce7610f0ef133d": "RFC 5114 section 2.1",       // 1024 bits
	"bfe545862ca102ad1eeddb5fbfa5bf855ac4995c56a8b408ce3fe099dce93a9d": "RFC 5114 section 2.2",       // 2048 bits
	"0b7835722cb619827610c2549fdda5587421686c4409a13865e76225522ddcc9": "RFC 5114 section 2.3",       // 2048 bits
	"74a5cce5b6a93eb755e2f48250dc7cb3ea529484af916e1368034b6f70eb25fc": "weakdh.org",                 // 1024 bits
	"196085cb4281d1ff18efaad097bc1ec0af2581444026a6a3018b1479f6d89cdb": "weakdh.org",                 // 1024 bits
	"80571b97f71f89727ab0c40bb73b4f01a420469abd814b7b35090c8d6dff62b0": "weakdh.org",                 // 1024 bits
	"5f856a00120eee6d6b87ef8f596aefbbd284f8a611c8329a713d37cdec2a27b0": "weakdh.org",                 // 1024 bits
	"deb671287187265a5383df13708d3a757735f4af22dd171265385822f5aca5b9": "weakdh.org",                 // 1024 bits
	"bc19c041491e550f381d09415a82e1b359410e8e243744cc545a342455f5fcd8": "weakdh.org",                 // 1024 bits
	"ac0ff7a415f003c6503d4c126f2929769e6f3f89c29efa450764212fa13e2069": "weakdh.org",                 // 1024 bits
	"2b07d24b932aa7a015c45a3f06e75ba71cb8cff8d33980acebf628afff1c101e": "weakdh.org",                 // 1024 bits
	"8523c72057043833089915168751620b02dd60206beaa3ddb65df468acc9584e": "weakdh.org",                 // 1024 bits
	"52d4faa53003b8349dac3e984a6423bc1ab6ab927f1855d94757185f71b5d97d": "weakdh.org",                 // 1024 bits
	"bfa876fe4671a9c696c8e256c13d7fadaa05c8991660e0924604ff7b239c6d1a": "IronPort",                   // 1024 bits
	"6215d41bb617b390082b066d6856f8b361d6c77f316a84301f7c9717a8681485": "SKIP",                       // 1024 bits
	"725541d91fe79bcf52e6d96581d83ab8eb68a6c2460d933f68792a369b003b1c": "SKIP",                       // 2048 bits
	"449ab49c277d21a601e806df3064d6e4b3040045110efe26b85d12e88ae9355a": "Postfix",                    // 512 bits
	"4e1f16b0a537becf0398e0d6049ed82850ef799626db1771a9aa4901e84385c3": "Postfix",                    // 2048 bits
	"6c863838510bab3e2093066fc14976f0265b0da72c465eb306018587b5df6b6a": "Postfix",                    // 512 bits
	"ef627d8cc44144f36a075d8dd8511bbd278cb5cf438f1052bdbdabe715232c1e": "Postfix",                    // 1024 bits
	"e2b343fa226b71092716a0cefea064b00c0a6855e25e199bf91452b88d81d03e": "Postfix",                    // 512 bits
	"7dafc874c19963c0dd38e642bf1f3ad92d0fafd9a8db4651e5ff44903aef69c3": "Postfix",                    // 768 bits
	"d2ae65bfc24596c0333a3ad57a67565d1494da51059f327d8cd7d6c36ea53dc1": "Postfix",                    // 1024 bits
	"bd646809c4e2d255e7082482b9917c2dfa213b6685d7100765fbfca6d585af1c": "Postfix",                    // 1536 bits
	"ee302f149664decf1b364551326625cfc7ff3edb739a3a444a7435a5d50c543b": "Postfix",                    // 2048 bits
	"bc66927384785251c604a3836e40475664b425ef690d8fc9b770ba80095488d0": "Postfix",                    // 512 bits
	"ad225f9367840e76af41a00757b85eada4ac49190ea6ec4e90a7114c1eb9d1de": "Postfix",                    // 768 bits
	"3b37d357836b4c0b81ae99d4bb204f5fb3b3cc53a79a4660db1499062a7c8d47": "Postfix",                    // 1024 bits
	"f5b0f0db19c1ffb9edd48c27d552e0c6304a86c911924f8d4f9bbc9adf00f5de": "Postfix",                    // 1536 bits
	"b85e2291d140459398cf0cd25689409c3d2eb44c590634464b7b3ae613ec4712": "Postfix",                    // 512 bits
	"b36ac84e5fa8bd7a6363e1fb989456e430ac24bec3899ebd876c327f00a78609": "Postfix",                    // 768 bits
	"20ce5e9531472e234e1ef76788a6f5f5da9d3ee746de9901fb962b6a1bf76f6f": "Postfix",                    // 1024 bits
	"245ccb3bb7e5f8e431c3786ce8c84360463a9991a535ab23b6b1e91a3ac9ccb9": "Postfix",                    // 1536 bits
	"b22223eba55eff07fda0073c0bb7f65c588f7c03ebd471f89ebb602f8af725ef": "Postfix",                    // 2048 bits
	"984a91adb717c9753fd52ab8c4659b6f5915a0647385796d3ac367b86618eac4": "ProFTPD",                    // 1024 bits
	"a2052ee3a461387eb489dfb4166f5b913255a1ab619ca8b8c82676cccc7f7445": "ProFTPD",                    // 2048 bits
	"cf44c99b85dabecceda32d2b089ec28fbc7873ad9ea0bf8d1dbedd5a4dcd92b9": "ProFTPD",                    // 1536 bits
	"46ff79361993e5e6e9025cdfdb8d59af2a434714a48798450df9f9ff4c9e7558": "ProFTPD",                    // 1024 bits
	"8b4fa096eb2414e26babeef0e3e68eb7a531eca3853a635f7e98007593d35ad6": "ProFTPD",                    // 1024 bits
	"e7257339c7b3c36b4fe270802723e6b2d93184e652304a0510560f4cbe34404f": "ProFTPD",                    // 1536 bits
	"0a64b51e01fbccd80d5c45d6c40b1eb7ff66f13c3b4ebf0a4c0a60c1b3bf49cc": "ProFTPD",                    // 1024 bits
	"a5bdec8cf036e2ab8f8b4bb68c726ea83930a6bb6ad81d9c1fecdafa87526fd2": "ProFTPD",                    // 1536 bits
	"6b79f7880e90204b6f8cb64f4bea6ea6b4286941e1d81c18b8c20f968a3eb26a": "ProFTPD",                    // 1024 bits
	"cfb14315e90c3ce241b5351aec1bff5e301b70d62242f1f39df0c6584cb42bb3": "ProFTPD",                    // 2048 bits
	"406b95f336f4588f7f07b7ab86923cc97b7faad7e4b3467d4f074f8d0ca46713": "ProFTPD",                    // 4096 bits
	"6ab0cedf512ead33f4827d0a9aa9a4b8433cac5d2ee4ff340c4f38a816d94382": "ProFTPD",                    // 1024 bits
	"3504275b93e5db8a692b4a5baeb4c4c772d018c862fd09ef5e677fa10c27f65b": "ProFTPD",                    // 6144 bits
	"fb2de97ce408f3d2b00cda7e436e0e9f649ba89ed118d262ce8bf16c414e9475": "ProFTPD",                    // 8192 bits
	"c43bb4fe47a641335004ca606398421bb63ee95c1da6bb0be37328bf80ca4d0e": "ProFTPD",                    // 1024 bits
	"9f5e9f4e49f8499926f4bfd7cffcd0ecfb650a6ec35406bf70c378dfb3a25f5a": "ProFTPD",                    // 1024 bits
	"3576d07c0658c0230f4e4a4ad3255c68b12da40ae85e9bbe31f0361521f94c79": "ProFTPD",                    // 1024 bits
	"0ea9ef1fd4b42cff37a02344a1097ca697054fa0c5ef9c624360cdde80c51697": "ProFTPD",                    // 1024 bits
	"eba4ea9cdaf56d1c93fdf9b358f33148ce4340c48d631aa6dda9cbe8739981bd": "ProFTPD",                    // 1024 bits
	"80b421f627228225bc69d267f5f3d61e6a628fb6073ff12b898201817a9476fb": "ProFTPD",                    // 1024 bits
	"3e21a641dbe236fd883f1a293f3c3a310fa90e93f7ce4244ea598d14af664bfe": "ProFTPD",                    // 1536 bits
	"f17daff1413023f299ae1a1a309fc495bba6655ca8e2e8aaeb831ac0f65bae04": "ProFTPD",                    // 1536 bits
	"bd132a9c3bb1b0db7199048b7ca002150c5143d7fe8b377180600259bb844a6e": "ProFTPD",                    // 1536 bits
	"2f4370d98ffd18aa6be9a279573587359f883f0f6a05758fecd6469170c71ef2": "ProFTPD",                    // 2048 bits
	"1401ba0d70afd57f87974faa52b4625f01ba80655ca8efbc9bb0afbbeb343ee1": "ProFTPD",                    // 2048 bits
	"d3d1fa2923c8dc2da6783a7f2e8f3c08421f499c87c9770a518571bfcb4019b8": "ProFTPD",                    // 4096 bits
	"adaf2d463f6f71d615f9db387a068817eb3821b5bb3395154a77cb5d803a6f19": "ProFTPD",                    // 6144 bits
	"5de6d78891cd9a759d1eeada93bf01835238e6b69e4452c33fd95faa4fc4d892": "ProFTPD",                    // 8192 bits
	"d9f6f2a0adb3427cbe12b007049b842bd208e830a3a4b97f2f041c44797dae34": "LibTomCrypt",                // 784 bits
	"d6dcdf1380fcf5d1edae326fe1e1db5b6d18ceb64df60bc5feaf82bdd4880f25": "LibTomCrypt",                // 1036 bits
	"0ce3987be0923295e23002daa633bb141445b57bf9c045d811919752f277b3f1": "LibTomCrypt",                // 1288 bits
	"362b5d25eb8b949b20a3471ca880b25370727d12119791e6c5a7125dd9485ea3": "LibTomCrypt",                // 1540 bits
	"22e8c3768c4947ee7f9a8e6c8989e61dc4f95d6f05a665302067e3be1dd1684b": "LibTomCrypt",                // 1792 bits
	"8bf91c38e2a92b253a362a9b7c723e3a9704e928a94193bbb9be185578ff79a0": "LibTomCrypt",                // 2072 bits
	"8ab7986eaa2c27eb246db536093c8147c447395e86e2beecb1ecd2b6c260e91f": "LibTomCrypt",                // 3080 bits
	"a642950d9c2cdc78d1e9659efbd21d4b11f126fa3f9fce9c0279c24df54ab018": "LibTomCrypt",                // 4116 bits
	"d03fdc7fe0f0d300624dd6d8a1682855bcd396581fa046931894424f648fca60": "Socat",                      // 2048 bits
	"ac10fa3c5965ca361c07b3511140eb0a5cc89d92417708b1c13d07dc24770e22": "Socat",                      // 1024 bits
	"486e235226a927b22b9389bf43377084cb9be4c303f08fd490613ab4d9dfbd31": "HAProxy",                    // 1024 bits
	"7b6551ea6ff09bd78c24bede10980a155f70b6c81e48b4dd8bec822ab3bf0e94": "HAProxy",                    // 2048 bits
	"a67f41cb161353e098a815bf4070d3268927a50cf3b9be233377f81e0ac77c1e": "HAProxy",                    // 4096 bits
	"9cd3b7f336872f46c09428d1bbc19877a4d440512cda8d1c1cf0cd6e33698966": "RFC 7919 ffdhe2048",         // 2048 bits
	"0eaf67db3a839156d5013494a5318a772b5697d270d721f37f092efc69ea5a17": "RFC 7919 ffdhe3072",         // 3072 bits
	"4648414224ac881b3d0dc59b466f96d06a558278776807797ecf1f66ff397b3e": "RFC 7919 ffdhe4096",         // 4096 bits
	"227ac9066b3ddd9e193670cda2388fa884f65ba0cf98b742d1fe77a6687c79c7": "RFC 7919 ffdhe6144",         // 6144 bits
	"770b14efaf6f049929c523113b3fa99a8d11dab1b18af3609590122075d19833": "RFC 7919 ffdhe8192",         // 8192 bits
}
