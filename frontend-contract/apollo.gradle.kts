// Types for Android, by Apollo Kotlin: `apply(from = "…/frontend-contract/apollo.gradle.kts")` in a module that has the
// plugin com.apollographql.apollo.
import com.apollographql.apollo.gradle.api.ApolloExtension

configure<ApolloExtension> {
    service("flexBilling") {
        packageName.set("com.sasflex.billing")
        schemaFile.set(file("schema.graphql"))
        srcDir(file("operations"))
        srcDir(file("fragments"))
        mapScalarToKotlinString("Date")
        mapScalarToKotlinString("DateTime")
        mapScalarToKotlinString("Decimal")
        operationManifestFormat.set("persistedQueryManifest")
    }
}
