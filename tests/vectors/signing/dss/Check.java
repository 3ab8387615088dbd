// Validates files with EU DSS and prints one line of facts for each signature. Used by test_seal_dss.py.
// Arguments: the trusted root (DER), then files. Facts only: the test decides what they must be.

import eu.europa.esig.dss.diagnostic.SignatureWrapper;
import eu.europa.esig.dss.diagnostic.TimestampWrapper;
import eu.europa.esig.dss.model.FileDocument;
import eu.europa.esig.dss.simplereport.SimpleReport;
import eu.europa.esig.dss.spi.DSSUtils;
import eu.europa.esig.dss.spi.validation.CommonCertificateVerifier;
import eu.europa.esig.dss.spi.x509.CommonTrustedCertificateSource;
import eu.europa.esig.dss.validation.SignedDocumentValidator;
import eu.europa.esig.dss.validation.reports.Reports;
import java.io.File;

public class Check {
  public static void main(String[] arguments) throws Exception {
    for (int i = 1; i < arguments.length; i++) {
      CommonTrustedCertificateSource trusted = new CommonTrustedCertificateSource();
      trusted.addCertificate(DSSUtils.loadCertificate(new File(arguments[0])));
      CommonCertificateVerifier verifier = new CommonCertificateVerifier();
      verifier.setTrustedCertSources(trusted);
      File file = new File(arguments[i]);
      SignedDocumentValidator validator = SignedDocumentValidator.fromDocument(new FileDocument(file));
      validator.setCertificateVerifier(verifier);
      print(file.getName(), validator.validateDocument());
    }
  }

  static void print(String name, Reports reports) {
    SimpleReport report = reports.getSimpleReport();
    for (String id : report.getSignatureIdList()) {
      SignatureWrapper signature = reports.getDiagnosticData().getSignatureById(id);
      StringBuilder line = new StringBuilder(name);
      line.append('\t').append(report.getSignatureFormat(id));
      line.append('\t').append(signature.isSignatureIntact() && signature.isSignatureValid());
      for (TimestampWrapper token : signature.getTimestampList()) {
        line.append('\t').append(token.isSignatureValid() && token.isMessageImprintDataIntact()
            && token.isTrustedChain());
      }
      report.getAdESValidationErrors(id).forEach(error -> line.append('\t').append(error.getValue()));
      System.out.println(line);
    }
  }
}
